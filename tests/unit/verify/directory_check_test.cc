#include "directory_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "check_fixture.h"
#include "tests/support/status_matchers.h"

namespace hbk::verify {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::IsOk;

class DirectoryCheckTest : public ::testing::Test, protected CheckFixture {
 protected:
  DirectoryCheckTest() {
    manifest::BackupManifest manifest;
    for (const char* name : {"ibdata1", "db/t.ibd"}) {
      manifest::ManifestFile file;
      file.name = name;
      manifest.files.push_back(file);
      fs.PutFile(std::string("/b/") + name, "x");
    }
    manifest.databases = {"db", "void"};
    facts.manifest = manifest;
    fs.PutDirectory("/b/void");
    fs.PutFile("/b/hbk_manifest.json", "{}");
  }

  std::vector<std::string> Check() {
    const seal::SealingKeyOptions options;
    manifest::SealingKeyRing ring(options, fs, {});
    EXPECT_THAT(CheckDirectory(facts, fs, ring, context), IsOk());
    return Found();
  }
};

TEST_F(DirectoryCheckTest, WhatTheManifestListsIsKnown) {
  fs.PutFile("/b/hbk_verified.json", "{}");
  fs.PutFile("/b/hbk_chunks", "");
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(DirectoryCheckTest, OtherFilesAndDirectoriesAreFound) {
  fs.PutFile("/b/db/u.ibd", "x");
  fs.PutFile("/b/other/t.ibd", "x");
  fs.PutSymlink("/b/link", "/etc");

  EXPECT_THAT(Check(), ElementsAre("/b: db/u.ibd: the manifest does not list it",
                                   "/b: link: it is a symlink: no backup has such",
                                   "/b: other: the manifest knows no such directory"));
}

TEST_F(DirectoryCheckTest, ADatabaseThatIsGoneIsFoundThoughItWasEmpty) {
  ASSERT_THAT(fs.RemoveDirectory("/b/void"), IsOk());

  EXPECT_THAT(Check(), ElementsAre("/b: void: the directory is missing"));
  facts.is_increment = true;
  EXPECT_THAT(Check(), IsEmpty());
}

TEST_F(DirectoryCheckTest, FilesOfHbkItselfLieInTheRootOnly) {
  fs.PutFile("/b/db/hbk_chunks", "x");

  EXPECT_THAT(Check(), ElementsAre("/b: db/hbk_chunks: the manifest does not list it"));
}

}  // namespace
}  // namespace hbk::verify
