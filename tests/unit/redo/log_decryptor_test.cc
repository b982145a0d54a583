#include "hbk/redo/log_decryptor.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/redo/log_block.h"
#include "hbk/redo/mini_transaction.h"

#include "tests/support/fixed_keys.h"
#include "tests/support/redo_builder.h"
#include "tests/support/status_matchers.h"

namespace hbk::redo {
namespace {

using ::hbk::testing::BlockLogBuilder;
using ::hbk::testing::FixedKeys;
using ::hbk::testing::FromHex;
using ::hbk::testing::IsOk;
using ::hbk::testing::MtrBuilder;
using ::hbk::testing::StatusIs;
using ::hbk::testing::ToHex;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string kServerKey = FromHex("770a8a65da156d24ee2a093277530142");
const std::string kMessage = FromHex("e8d0ca446e3b82ced5bb9d28e57c4f26");
const std::string kNonce = FromHex("0001020304050607");

LogFileHeader Header(LogEncryption encryption) {
  LogFileHeader header;
  header.is_encrypted = true;
  header.encryption = encryption;
  header.crypt.key_id = 1;
  header.crypt.key_version = 1;
  std::copy(kMessage.begin(), kMessage.end(), header.crypt.message.begin());
  return header;
}

FixedKeys& Keys() {
  static FixedKeys keys;
  keys.Add(1, 1, kServerKey);
  return keys;
}

std::string Decrypt(LogEncryption encryption, std::string_view body, std::string_view nonce) {
  auto decryptor = LogDecryptor::Create(Header(encryption), &Keys());
  HBK_CHECK(decryptor.ok());
  std::vector<uint8_t> plain;
  HBK_CHECK(decryptor->DecryptBody(AsBytes(body), AsBytes(nonce), plain).ok());
  return std::string(AsText(plain));
}

crypto::Block DataKey() {
  crypto::Block message{};
  std::copy(kMessage.begin(), kMessage.end(), message.begin());
  return crypto::DeriveDataKey(Secret(kServerKey), message).value();
}

void EncryptPart(std::string& body, size_t begin, size_t size, std::string_view iv_text) {
  crypto::Block iv{};
  std::copy(iv_text.begin(), iv_text.end(), iv.begin());
  const MutableByteView part(reinterpret_cast<uint8_t*>(body.data()) + begin, size);
  HBK_CHECK(crypto::Encrypt(crypto::CipherMode::kCbc, DataKey(), iv, part, part).ok());
}

TEST(LogDecryptorTest, DecryptsAnMtrOfARealServer) {
  EXPECT_EQ(
      ToHex(Decrypt(LogEncryption::kRecords, FromHex("34 b8e79761"), FromHex("000000000000bcd7"))),
      "3400073512");
}

TEST(LogDecryptorTest, AllContentsOfAnMtrAreOneStream) {
  const std::string body = MtrBuilder()
                               .Write({5, 6}, 100, std::string(30, 'a'))
                               .Write({5, 6}, 200, "b")
                               .InitPage({5, 9})
                               .Write({5, 9}, 300, std::string(300, 'c'))
                               .body();
  // Types and lengths are plain: 2 bytes, 1, 1, 1 + 2.
  RecordReader reader(AsBytes(body));
  RedoRecord record;
  std::string stream;
  std::vector<std::pair<size_t, size_t>> slots;
  while (*reader.Next(record)) {
    const size_t begin = static_cast<size_t>(record.raw.data() - AsBytes(body).data());
    const size_t head = (record.raw[0] & 15) != 0 ? 1 : record.raw[1] < 0x80 ? 2 : 3;
    slots.emplace_back(begin + head, record.raw.size() - head);
    stream += body.substr(slots.back().first, slots.back().second);
  }
  ASSERT_EQ(slots.size(), 4U);
  EncryptPart(stream, 0, stream.size(), kNonce + body.substr(0, 2));
  std::string encrypted = body;
  size_t from = 0;
  for (const auto& [begin, size] : slots) {
    encrypted.replace(begin, size, stream, from, size);
    from += size;
  }

  EXPECT_EQ(Decrypt(LogEncryption::kRecords, encrypted, kNonce), body);
}

TEST(LogDecryptorTest, OlderFormatHasPlainFileRecordsAndPageIds) {
  const std::string file = MtrBuilder().FileModify(5, "./db/a.ibd").body();
  const std::string pages = MtrBuilder()
                                .InitPage({5, 0})
                                .Write({5, 0}, 100, std::string(14 - 4, 'a'))
                                .Write({5, 7}, 200, "b")
                                .body();
  const std::string body = file + pages;
  // INIT_PAGE: 3 bytes, nothing to encrypt. Same page: 1 + 11 bytes. The last: 1 + 2 + 2 + 1.
  const size_t second = file.size() + 3;
  const size_t third = body.size() - 6;
  std::string encrypted = body;
  EncryptPart(encrypted, second + 1, third - second - 1, kNonce + FromHex("0000000500000000"));
  EncryptPart(encrypted, third + 3, 3, kNonce + FromHex("0000000500000007"));
  ASSERT_NE(encrypted, body);

  EXPECT_EQ(Decrypt(LogEncryption::kPayloads, encrypted, kNonce), body);
}

TEST(LogDecryptorTest, NoKeysAtAllNameTheOneThatIsWanted) {
  LogFileHeader header = Header(LogEncryption::kRecords);
  header.crypt.key_version = 42;

  EXPECT_THAT(LogDecryptor::Create(header, nullptr),
              StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 42")));
  EXPECT_THAT(LogDecryptor::Create(header, &Keys()),
              StatusIs(StatusCode::kMissingKey,
                       AllOf(HasSubstr("key 1 version 42"), HasSubstr("redo log"))));
}

TEST(LogDecryptorTest, BlocksMayNameAnotherVersionOfTheKey) {
  FixedKeys keys;
  keys.Add(1, 1, kServerKey).Add(1, 2, std::string(32, 'k'));
  const LogFileHeader header = Header(LogEncryption::kBlocks);
  LogCrypt second = header.crypt;
  second.key_version = 2;
  const auto data_key = crypto::DeriveDataKey(Secret(std::string(32, 'k')), second.message);
  BlockLogBuilder log(51200 + 12, 8192);
  log.Encrypt(second, keys.mode(), *data_key);
  const std::string body = MtrBuilder().Write({5, 6}, 100, "text").body();
  log.Append(body);
  auto decryptor = LogDecryptor::Create(header, &keys);
  ASSERT_THAT(decryptor, IsOk());
  std::array<uint8_t, kLogBlockBytes> plain{};
  const std::string file = log.file();

  for (int i = 0; i < 2; ++i) {
    ASSERT_THAT(decryptor->DecryptBlock(AsBytes(file).subspan(2048, 512), 51200, plain), IsOk());
    EXPECT_EQ(AsText(plain).substr(12, body.size()), body);
  }

  EXPECT_EQ((keys.asked().at({1, 2})), 1);
}

}  // namespace
}  // namespace hbk::redo
