// One thread of the load with its connection; private to the workload.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "tests/support/live/statement_generator.h"
#include "tests/support/live/workload.h"

namespace hbk::testing {

class LoadThread {
 public:
  LoadThread(Workload& load, SqlClient client, uint64_t seed)
      : load_(load), client_(std::move(client)), generate_(seed) {}

  Status SetUpSession();
  // Fills a new table up to its row count, through its alterations.
  Status Fill(LoadTable& table);

  // Each runs until the load stops.
  Status RunShortTransactions();
  Status RunLongTransactions();
  Status RunOtherEngines();
  Status RunDdl();
  Status RunSideStatements();

 private:
  Status RunShortTransaction();
  Status RunLongTransaction();
  Status Transfer();
  Status HalfTransfer();
  Status ChangeSomething();
  Status ChangeTable(LoadTable& table);
  Status ChangeBulk();
  Status InsertRows(LoadTable& table, uint64_t row_count);
  Status RemoveOldRows(LoadTable& table);
  Status DdlStatement();

  // Runs it. Deadlock and lock wait are no errors: they roll back and set was_rolled_back_.
  Status Do(const std::string& statement);
  void Pause();
  [[nodiscard]] bool IsStopping() const { return load_.is_stopping_; }

  Workload& load_;
  SqlClient client_;
  StatementGenerator generate_;
  bool was_rolled_back_ = false;
};

}  // namespace hbk::testing
