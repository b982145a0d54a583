-- The shop of demo.sh: tables of several kinds, and a procedure that goes on writing into them.

CREATE USER replica IDENTIFIED BY 'replica';
GRANT REPLICATION SLAVE ON *.* TO replica;
CREATE DATABASE shop;
USE shop;

CREATE TABLE control (is_stopping INT NOT NULL) ENGINE=InnoDB;
INSERT INTO control VALUES (0);

-- Money only moves between accounts: the sum is the same at any moment.
CREATE TABLE accounts (id INT PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB;
INSERT INTO accounts SELECT seq, 1000 FROM seq_1_to_100;

CREATE TABLE orders (
  id INT AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, item VARCHAR(60), note TEXT,
  KEY (customer), KEY (item)) ENGINE=InnoDB;
INSERT INTO orders (customer, item, note)
  SELECT seq % 1000, CONCAT('item ', seq), REPEAT(MD5(seq), 8) FROM seq_1_to_200000;

CREATE TABLE documents (id INT AUTO_INCREMENT PRIMARY KEY, body LONGTEXT, FULLTEXT (body))
  ENGINE=InnoDB ROW_FORMAT=COMPRESSED;
INSERT INTO documents (body) SELECT REPEAT(CONCAT('word', seq, ' '), 1500) FROM seq_1_to_300;

CREATE TABLE places (id INT PRIMARY KEY, p POINT NOT NULL, SPATIAL KEY (p)) ENGINE=InnoDB;
INSERT INTO places SELECT seq, POINT(seq % 100, seq / 100) FROM seq_1_to_5000;

CREATE TABLE events (id INT NOT NULL AUTO_INCREMENT, day INT NOT NULL, what VARCHAR(100),
  PRIMARY KEY (id, day)) ENGINE=InnoDB
  PARTITION BY RANGE (day) (PARTITION early VALUES LESS THAN (100),
                            PARTITION late VALUES LESS THAN MAXVALUE);
INSERT INTO events (day, what) SELECT seq % 200, CONCAT('event ', seq) FROM seq_1_to_20000;

CREATE TABLE log_aria (id INT PRIMARY KEY, what VARCHAR(100)) ENGINE=Aria;
INSERT INTO log_aria SELECT seq, 'aria' FROM seq_1_to_1000;
CREATE TABLE log_myisam (id INT PRIMARY KEY, what VARCHAR(100)) ENGINE=MyISAM;
INSERT INTO log_myisam SELECT seq, 'myisam' FROM seq_1_to_1000;

DELIMITER //
CREATE PROCEDURE work() MODIFIES SQL DATA
BEGIN
  DECLARE CONTINUE HANDLER FOR 1213, 1205 ROLLBACK;  -- deadlock, lock wait
  WHILE (SELECT is_stopping FROM control) = 0 DO
    START TRANSACTION;
    -- RAND() in a WHERE would be computed for each row, and read them all.
    SET @amount = FLOOR(RAND() * 50), @from = FLOOR(1 + RAND() * 100),
        @to = FLOOR(1 + RAND() * 100), @changed = FLOOR(RAND() * 200000),
        @removed = FLOOR(RAND() * 200000), @moved = FLOOR(RAND() * 20000),
        @rewritten = FLOOR(RAND() * 300);
    -- In one statement: a deadlock between two would leave the first of them behind.
    UPDATE accounts SET balance = balance - IF(id = @from, @amount, 0) + IF(id = @to, @amount, 0)
      WHERE id IN (@from, @to);
    INSERT INTO orders (customer, item, note)
      VALUES (FLOOR(RAND() * 1000), CONCAT('new ', RAND()), REPEAT(MD5(RAND()), RAND() * 20));
    UPDATE orders SET note = REPEAT(MD5(RAND()), RAND() * 40) WHERE id = @changed;
    DELETE FROM orders WHERE id = @removed;
    UPDATE events SET day = FLOOR(RAND() * 200) WHERE id = @moved;
    IF RAND() < 0.02 THEN
      UPDATE documents SET body = REPEAT(CONCAT('new', @amount, ' '), RAND() * 4000)
        WHERE id = @rewritten;
    END IF;
    IF RAND() < 0.1 THEN
      ROLLBACK;
    ELSE
      COMMIT;
    END IF;
  END WHILE;
END //
DELIMITER ;
