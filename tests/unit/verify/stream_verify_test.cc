#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hbk/stream/stream_file_system.h"
#include "hbk/verify/verify_runner.h"

#include "small_set.h"
#include "tests/support/byte_buffers.h"

namespace hbk::verify {
namespace {

using stream::StreamFormat;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::Not;

class StreamVerifyTest : public ::testing::TestWithParam<StreamFormat> {
 protected:
  // As hbk would have written it; `left_out` is not sent.
  std::string Archive(const std::string& left_out = "") {
    testing::SunkBytes sunk;
    testing::MemFileSystem none;
    stream::StreamFileSystem archive(none, {"/stream", {}},
                                     stream::MakeStreamWriter(GetParam(), testing::SinkTo(sunk)));
    const auto put = [&](const std::string& path, const std::string& bytes) {
      const std::string target = "/stream" + path.substr(std::string("/base").size());
      const std::string directory = io::DirName(target);
      if (directory != "/stream" && directories_.insert(directory).second) {
        EXPECT_THAT(archive.MakeDirectory(directory, 0700), IsOk());
      }
      EXPECT_THAT(io::WriteNewFile(archive, target, bytes, 0600), IsOk());
    };
    directories_.clear();
    const auto files = set_.fs.Tree("/base");
    for (const auto& [path, bytes] : files)
      if (path != kManifest && path != left_out) put(path, bytes);
    put(kManifest, files.at(kManifest));
    EXPECT_THAT(archive.Finish(), IsOk());
    return sunk.bytes;
  }
  std::vector<std::string> Findings(const std::string& archive) {
    const auto summary = RunVerifyStream(testing::SourceOf(archive), set_.reporter, {});
    EXPECT_THAT(summary.status(), IsOk());
    std::vector<std::string> texts;
    if (!summary.ok()) return texts;
    for (const Finding& finding : summary->findings)
      texts.push_back(Describe(finding));
    return texts;
  }

  static constexpr const char* kManifest = "/base/hbk_manifest.json";
  SmallSet set_;
  std::set<std::string> directories_;
};

TEST_P(StreamVerifyTest, AGoodArchiveHasNoFindings) {
  EXPECT_THAT(Findings(Archive()), IsEmpty());
}

TEST_P(StreamVerifyTest, AFileThatIsNotThatOfTheManifestIsFound) {
  set_.Flip("/base/ibdata1", 5000);

  EXPECT_THAT(Findings(Archive()), ElementsAre("archive: ibdata1: it is not what was there"));
}

TEST_P(StreamVerifyTest, AFileThatWasNotSentIsFound) {
  EXPECT_THAT(Findings(Archive("/base/ibdata1")), ElementsAre("archive: ibdata1: it is missing"));
}

TEST_P(StreamVerifyTest, AFileThatNobodyKnowsIsFound) {
  set_.fs.PutFile("/base/db/more.ibd", "x");

  EXPECT_THAT(Findings(Archive()), Contains(HasSubstr("db/more.ibd: the manifest does not list")));
}

TEST_P(StreamVerifyTest, DamageOfTheArchiveIsFound) {
  const std::string archive = Archive();
  for (size_t i = 0; i < 50; ++i) {
    std::string damaged = archive;
    damaged[(i * 1000003) % archive.size()] ^= 1;
    EXPECT_THAT(Findings(damaged), Not(IsEmpty())) << i;
    EXPECT_THAT(Findings(archive.substr(0, (i * 1000003) % archive.size())), Not(IsEmpty())) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, StreamVerifyTest,
                         ::testing::Values(StreamFormat::kHbk, StreamFormat::kMbstream),
                         [](const auto& param) {
                           return std::string(StreamFormatName(param.param));
                         });

}  // namespace
}  // namespace hbk::verify
