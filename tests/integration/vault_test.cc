// Keys from a Vault over HTTPS, from tests/support/vault_server.py.

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/io/file_system.h"
#include "hbk/keys/open_key_source.h"

#include "tests/support/live/process.h"
#include "tests/support/live/scratch_dir.h"
#include "tests/support/status_matchers.h"

namespace hbk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPreset = R"({
  "1": ["770A8A65DA156D24EE2A093277530142", "000102030405060708090a0b0c0d0e0f"],
  "4": ["00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"]
})";
constexpr milliseconds kStartLimit{20'000};

// One server for all tests: making its certificates takes a second.
class VaultTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    Result<ScratchDir> made = ScratchDir::Make();
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    dir_ = new ScratchDir(std::move(*made));
    ASSERT_TRUE(
        io::WriteNewFile(io::PosixFileSystem(), dir_->Sub("keys.json"), kPreset, 0600).ok());
    Result<std::unique_ptr<Process>> started = StartServer({});
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    server_ = started->release();
    port_ = WaitForPort("port");
    ASSERT_NE(port_, "") << "the server did not start: " << dir_->Sub("vault.out");
  }

  static void TearDownTestSuite() {
    delete server_;
    delete dir_;
    server_ = nullptr;
    dir_ = nullptr;
  }

  void SetUp() override {
    SetFault(R"({"count": 0})");
    options_.vault_url = "https://127.0.0.1:" + port_ + "/v1/hbk";
    options_.vault_token = Secret("test-token");
    options_.vault_ca = dir_->Sub("certificates/ca.pem");
    options_.vault_timeout_s = 5;
  }

  static Result<std::unique_ptr<Process>> StartServer(const std::vector<std::string>& more) {
    std::vector<std::string> argv = {
        "python3", std::string(HBK_SOURCE_DIR) + "/tests/support/vault_server.py"};
    const std::vector<std::string> usual = {
        "--certificate-dir", dir_->Sub("certificates"), "--keys", dir_->Sub("keys.json"),
        "--port-file",       dir_->Sub("port")};
    argv.insert(argv.end(), usual.begin(), usual.end());
    argv.insert(argv.end(), more.begin(), more.end());
    ProcessOptions process;
    process.output_path = dir_->Sub("vault.out");
    return Process::Start(argv, process);
  }

  static std::string WaitForPort(const std::string& name) {
    const auto end = std::chrono::steady_clock::now() + kStartLimit;
    while (std::chrono::steady_clock::now() < end) {
      const Result<std::string> port = ReadWholeFile(dir_->Sub(name));
      if (port.ok()) return *port;
      std::this_thread::sleep_for(milliseconds(50));
    }
    return "";
  }

  // Sends a document to the server, as an operator's tool would.
  static void Put(const std::string& path, const std::string& json) {
    constexpr const char* kClient =
        "import ssl, sys, urllib.request as r\n"
        "c = ssl.create_default_context(cafile=sys.argv[1])\n"
        "q = r.Request(sys.argv[2], sys.argv[3].encode(), {'X-Vault-Token': 'test-token'},\n"
        "              method='PUT')\n"
        "r.urlopen(q, context=c).read()\n";
    ProcessOptions process;
    process.output_path = dir_->Sub("put.out");
    const Result<ProcessEnd> end =
        RunProcess({"python3", "-c", kClient, dir_->Sub("certificates/ca.pem"),
                    "https://127.0.0.1:" + port_ + path, json},
                   process);
    ASSERT_TRUE(end.ok() && end->succeeded()) << (end.ok() ? end->Describe() : "");
  }
  static void SetFault(const std::string& json) { Put("/control", json); }

  Result<Secret> GetKey(uint32_t id, uint32_t version, std::stop_token stop = {}) {
    const auto source = keys::OpenKeySource(options_, io::PosixFileSystem(), std::move(stop));
    if (!source.ok()) return source.status();
    return (*source)->GetKey(id, version);
  }

  static ScratchDir* dir_;
  static Process* server_;
  static std::string port_;
  keys::KeyOptions options_;
};

ScratchDir* VaultTest::dir_ = nullptr;
Process* VaultTest::server_ = nullptr;
std::string VaultTest::port_;

TEST_F(VaultTest, EveryVersionOfAKeyIsThere) {
  const Result<Secret> first = GetKey(1, 1);
  const Result<Secret> second = GetKey(1, 2);
  const Result<Secret> longer = GetKey(4, 1);

  ASSERT_TRUE(first.ok()) << first.status().ToString();
  ASSERT_TRUE(second.ok() && longer.ok());
  EXPECT_EQ(first->Reveal().front(), '\x77');
  EXPECT_EQ(second->Reveal().back(), '\x0f');
  EXPECT_EQ(longer->Reveal().size(), 32U);
}

TEST_F(VaultTest, ARotatedKeyHasANewNewestVersion) {
  Put("/v1/hbk/data/9", R"({"data": {"data": "000102030405060708090a0b0c0d0e0f"}})");
  Put("/v1/hbk/data/9", R"({"data": {"data": "100102030405060708090a0b0c0d0e0f"}})");
  const auto source = keys::OpenKeySource(options_, io::PosixFileSystem());
  ASSERT_TRUE(source.ok());

  EXPECT_THAT((*source)->NewestVersion(9), IsOkAndHolds(2U));
}

TEST_F(VaultTest, WhatIsNotThereIsNamed) {
  EXPECT_THAT(GetKey(7, 3),
              StatusIs(StatusCode::kMissingKey, AllOf(HasSubstr("encryption key 7 version 3: "),
                                                      HasSubstr("HTTP status 404, no such key"))));
  EXPECT_THAT(GetKey(1, 9), StatusIs(StatusCode::kMissingKey, HasSubstr("key 1 version 9")));
}

TEST_F(VaultTest, AWrongTokenIsAMissingPrivilege) {
  options_.vault_token = Secret("another-token");

  const Result<Secret> key = GetKey(1, 1);

  EXPECT_THAT(key, StatusIs(StatusCode::kMissingPrivilege, HasSubstr("permission denied")));
  EXPECT_THAT(key.status().ToString(), Not(HasSubstr("another-token")));
}

TEST_F(VaultTest, AnUnknownAuthorityIsNotTrusted) {
  options_.vault_ca = "";

  const Result<Secret> key = GetKey(1, 1);

  EXPECT_THAT(key, StatusIs(StatusCode::kCannotConnect, HasSubstr("certificate")));
  EXPECT_THAT(key.status().hint(), HasSubstr("vault-ca"));
}

// The certificate is for 127.0.0.1.
TEST_F(VaultTest, AnotherHostNameIsNotTrusted) {
  options_.vault_url = "https://localhost:" + port_ + "/v1/hbk";

  EXPECT_THAT(GetKey(1, 1), StatusIs(StatusCode::kCannotConnect,
                                     AllOf(HasSubstr("certificate"), HasSubstr("localhost"))));
}

TEST_F(VaultTest, AMissingCaFileIsSaid) {
  options_.vault_ca = dir_->Sub("no-such.pem");

  EXPECT_THAT(GetKey(1, 1), StatusIs(StatusCode::kCannotConnect, HasSubstr("no-such.pem")));
}

TEST_F(VaultTest, NotNowIsAskedAgain) {
  SetFault(R"({"status": 503, "count": 2})");

  EXPECT_TRUE(GetKey(1, 1).ok());
}

TEST_F(VaultTest, AnAnswerThatNeverComesIsWaitedForSoLong) {
  SetFault(R"({"delay_s": 4, "status": 200, "count": -1})");
  options_.vault_timeout_s = 1;
  options_.vault_max_retries = 1;

  EXPECT_THAT(GetKey(1, 1), StatusIs(StatusCode::kCannotConnect, HasSubstr("timed out")));
}

TEST_F(VaultTest, AStopEndsTheWait) {
  SetFault(R"({"delay_s": 4, "status": 200, "count": 1})");
  std::stop_source stop;
  const std::jthread stopper([&stop] {
    std::this_thread::sleep_for(milliseconds(300));
    stop.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();

  EXPECT_THAT(GetKey(1, 1, stop.get_token()), StatusIs(StatusCode::kInterrupted, HasSubstr("")));

  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(3000));
}

TEST_F(VaultTest, AnEndlessAnswerIsCut) {
  SetFault(R"({"status": 200, "count": 1, "body": ")" + std::string(100'000, 'x') + "\"}");

  EXPECT_THAT(GetKey(1, 1), StatusIs(StatusCode::kFailed, HasSubstr("longer than")));
}

TEST_F(VaultTest, NoServerIsNoConnection) {
  options_.vault_url = "https://127.0.0.1:1/v1/hbk";
  options_.vault_max_retries = 0;

  EXPECT_THAT(GetKey(1, 1), StatusIs(StatusCode::kCannotConnect, HasSubstr("127.0.0.1")));
}

}  // namespace
}  // namespace hbk::testing
