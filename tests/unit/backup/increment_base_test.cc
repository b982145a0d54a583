#include "increment_base.h"

#include <string>

#include <gtest/gtest.h>

namespace hbk::backup::increment_base_test {
namespace {

using manifest::ManifestFile;

constexpr Lsn kEnd = 1000;
constexpr io::FileIdentity kFile = {1, 50, 7, 65536, 200, 300};
const innodb::TablespaceFlags kFlags = innodb::TablespaceFlags::FullCrc32(16384);

ManifestFile File(const std::string& name, const std::string& kind) {
  ManifestFile file;
  file.name = name;
  file.kind = kind;
  file.size = 65536;
  file.digest = std::string(32, 'a');
  file.source = SourceOf(kFile, /*is_at_rest=*/true, /*skip_count=*/0);
  return file;
}

ManifestFile Space(const std::string& name, const std::string& kind, SpaceId id) {
  ManifestFile file = File(name, kind);
  file.space = manifest::SpaceFacts{id, 16384, kFlags.raw()};
  return file;
}

manifest::BackupManifest Manifest() {
  manifest::BackupManifest manifest;
  manifest.backup_uuid = "base";
  manifest.boot_id = "boot";
  manifest.last_lsn = kEnd;
  manifest.files = {Space("ibdata1", "system-tablespace", 0),
                    Space("ibdata2", "system-tablespace", 0),
                    Space("undo001", "undo-tablespace", 1), Space("d/t.ibd", "tablespace", 5),
                    File("d/t.frm", "definition")};
  return manifest;
}

SpaceFile Table(SpaceId id = 5, const io::FileIdentity& identity = kFile) {
  return {"d/t.ibd", id, kFlags, identity};
}

TEST(IncrementBaseTest, AFileThatTheBaseHasGivesItsNewPages) {
  const IncrementBase base(Manifest());
  for (const SpaceFile& file :
       {Table(), SpaceFile{"d/renamed.ibd", 5, kFlags, kFile}, SpaceFile{"undo1", 1, kFlags, kFile},
        SpaceFile{"ibdata2", 0, kFlags, kFile}}) {
    const PageChoice choice = base.ChoosePages(file);
    EXPECT_EQ(choice.above_lsn, kEnd) << file.name;
    EXPECT_FALSE(choice.replaces_base || choice.takes_lsn_zero) << file.name;
  }
}

TEST(IncrementBaseTest, AnotherFileReplacesThatOfTheBase) {
  const IncrementBase base(Manifest());
  io::FileIdentity imported = kFile;
  imported.birth_ns = 8;
  io::FileIdentity other_inode = kFile;
  other_inode.inode = 51;

  EXPECT_TRUE(base.ChoosePages(Table(5, imported)).replaces_base);
  EXPECT_TRUE(base.ChoosePages(Table(5, other_inode)).replaces_base);
  EXPECT_TRUE(base.ChoosePages(Table(6)).replaces_base);
  EXPECT_TRUE(base.ChoosePages({"ibdata3", 0, kFlags, kFile}).replaces_base);
}

TEST(IncrementBaseTest, OtherNumbersOfDevicesMeanNothing) {
  const IncrementBase base(Manifest());
  io::FileIdentity file = kFile;
  file.device = 2;
  EXPECT_FALSE(base.ChoosePages(Table(5, file)).replaces_base);
}

TEST(IncrementBaseTest, PagesOfAnotherFormReplaceThoseOfTheBase) {
  const IncrementBase base(Manifest());
  SpaceFile file = Table();
  file.flags = innodb::TablespaceFlags::FullCrc32(4096);
  EXPECT_TRUE(base.ChoosePages(file).replaces_base);
  file.flags = innodb::TablespaceFlags::Decode(0x35).value();  // page_compressed since
  EXPECT_FALSE(base.ChoosePages(file).replaces_base);
}

TEST(IncrementBaseTest, WithoutBirthsPagesThatMayBeImportedAreTaken) {
  manifest::BackupManifest manifest = Manifest();
  manifest.files[3].source->birth_ns = 0;
  const IncrementBase base(manifest);
  io::FileIdentity file = kFile;
  file.birth_ns = 0;

  const PageChoice choice = base.ChoosePages(Table(5, file));

  EXPECT_TRUE(choice.takes_lsn_zero);
  EXPECT_FALSE(choice.replaces_base);
}

TEST(IncrementBaseTest, OfABaseThatTellsNothingPagesAreTakenByLsn) {
  const IncrementBase base(manifest::BaseBackup{"", "lsn", kEnd});

  const PageChoice choice = base.ChoosePages(Table());

  EXPECT_EQ(choice.above_lsn, kEnd);
  EXPECT_TRUE(choice.takes_lsn_zero);
  EXPECT_FALSE(choice.replaces_base);
  EXPECT_FALSE(base.HasUnknownSpaces());
  EXPECT_EQ(base.FindFile("d/t.frm"), nullptr);
}

TEST(IncrementBaseTest, AnOldManifestTellsNoMoreOfTablespaces) {
  manifest::BackupManifest manifest = Manifest();
  for (ManifestFile& file : manifest.files) {
    file.space.reset();
    file.source.reset();
  }
  const IncrementBase base(manifest);

  EXPECT_TRUE(base.ChoosePages(Table()).takes_lsn_zero);
  EXPECT_FALSE(base.ChoosePages(Table()).replaces_base);
  EXPECT_FALSE(base.HasUnknownSpaces());
  EXPECT_NE(base.FindFile("d/t.frm"), nullptr);
}

TEST(IncrementBaseTest, ATableThatOnlyRedoHasIsUnknown) {
  manifest::BackupManifest manifest = Manifest();
  EXPECT_FALSE(IncrementBase(manifest).HasUnknownSpaces());
  manifest.files[3].space.reset();
  EXPECT_TRUE(IncrementBase(manifest).HasUnknownSpaces());
}

TEST(IncrementBaseTest, FilesWithADigestAreFound) {
  manifest::BackupManifest manifest = Manifest();
  manifest.files.push_back(File("d/v.frm", "definition"));
  manifest.files.back().digest.clear();
  const IncrementBase base(manifest);

  EXPECT_EQ(base.FindFile("d/t.frm")->digest, std::string(32, 'a'));
  EXPECT_EQ(base.FindFile("d/v.frm"), nullptr);
  EXPECT_EQ(base.FindFile("d/t.ibd"), nullptr);
  EXPECT_TRUE(base.HasFirstPageOf(kFile));
  EXPECT_EQ(base.tables().at(5), "d/t.ibd");
  EXPECT_EQ(base.tables().size(), 1U);
}

// With --trust-file-times.
class TimeTrustTest : public ::testing::Test {
 protected:
  // A uuid for which d/t.ibd is, or is not, in the sample.
  static std::string UuidFor(bool is_in_sample) {
    for (int i = 0;; ++i) {
      const std::string uuid = std::to_string(i);
      IncrementBase base(Manifest());
      base.SetReadPolicy({false, true, "boot", uuid});
      const bool is_read = base.ChooseReading(Table(), kEnd, true) == ReadChoice::kSample;
      if (is_read == is_in_sample) return uuid;
    }
  }

  ReadChoice Choose(const SpaceFile& file, Lsn first_page_lsn = kEnd, bool keeps_times = true) {
    IncrementBase base(manifest_);
    base.SetReadPolicy({false, true, boot_id_, uuid_});
    return base.ChooseReading(file, first_page_lsn, keeps_times);
  }

  manifest::BackupManifest manifest_ = Manifest();
  std::string boot_id_ = "boot";
  std::string uuid_ = UuidFor(false);
};

TEST_F(TimeTrustTest, AFileThatIsAsItWasIsNotRead) {
  EXPECT_EQ(Choose(Table()), ReadChoice::kSkip);
}

TEST_F(TimeTrustTest, NothingIsTrustedUnasked) {
  const IncrementBase base(manifest_);
  EXPECT_FALSE(base.MayTrustTimes());
  EXPECT_EQ(base.ChooseReading(Table(), kEnd, true), ReadChoice::kRead);
}

TEST_F(TimeTrustTest, EveryDifferenceMeansReading) {
  for (uint64_t io::FileIdentity::*member :
       {&io::FileIdentity::device, &io::FileIdentity::inode, &io::FileIdentity::size}) {
    io::FileIdentity file = kFile;
    ++(file.*member);
    EXPECT_EQ(Choose(Table(5, file)), ReadChoice::kRead);
  }
  for (int64_t io::FileIdentity::*member :
       {&io::FileIdentity::birth_ns, &io::FileIdentity::mtime_ns, &io::FileIdentity::ctime_ns}) {
    io::FileIdentity file = kFile;
    ++(file.*member);
    EXPECT_EQ(Choose(Table(5, file)), ReadChoice::kRead);
  }
  EXPECT_EQ(Choose(Table(6)), ReadChoice::kRead);
  EXPECT_EQ(Choose(Table(), kEnd + 1), ReadChoice::kRead);
  EXPECT_EQ(Choose(Table(), kEnd, /*keeps_times=*/false), ReadChoice::kRead);
  SpaceFile file = Table();
  file.flags = innodb::TablespaceFlags::Decode(0x35).value();
  EXPECT_EQ(Choose(file), ReadChoice::kRead);
}

TEST_F(TimeTrustTest, TimesHoldWithinOneBoot) {
  boot_id_ = "another";
  EXPECT_EQ(Choose(Table()), ReadChoice::kRead);
  boot_id_ = manifest_.boot_id = "";
  EXPECT_EQ(Choose(Table()), ReadChoice::kRead);
}

TEST_F(TimeTrustTest, AFileThatWasNotAtRestIsRead) {
  manifest_.files[3].source->is_at_rest = false;
  EXPECT_EQ(Choose(Table()), ReadChoice::kRead);
}

TEST_F(TimeTrustTest, WithoutABirthNothingIsTrusted) {
  manifest_.files[3].source->birth_ns = 0;
  io::FileIdentity file = kFile;
  file.birth_ns = 0;
  EXPECT_EQ(Choose(Table(5, file)), ReadChoice::kRead);
}

TEST_F(TimeTrustTest, ASampleIsReadAllTheSame) {
  uuid_ = UuidFor(true);
  EXPECT_EQ(Choose(Table()), ReadChoice::kSample);
}

TEST_F(TimeTrustTest, WhatWasNotReadForLongIsRead) {
  manifest_.files[3].source->skip_count = IncrementBase::kSkipCountMax;
  EXPECT_EQ(Choose(Table()), ReadChoice::kSample);
  EXPECT_EQ(IncrementBase(manifest_).SkipCountOf(Table()), IncrementBase::kSkipCountMax);
}

// The redo says what was written since the base; the times that something was.
class NamedPagesTest : public TimeTrustTest {
 protected:
  NamedPagesTest() { ++written_.mtime_ns; }

  ReadChoice ChooseNamed(const SpaceFile& file, Lsn first_page_lsn = kEnd + 100,
                         bool keeps_times = true) {
    IncrementBase base(manifest_);
    base.SetReadPolicy({reads_all_, trusts_times_, boot_id_, uuid_});
    base.SetChangedPages(changed_);
    return base.ChooseReading(file, first_page_lsn, keeps_times);
  }

  bool reads_all_ = false;
  bool trusts_times_ = true;
  io::FileIdentity written_ = kFile;
  ChangedPages changed_{.to = kEnd + 500, .pages = {{5, {3, 4}}}, .remade = {}};
};

TEST_F(NamedPagesTest, OfAFileThatWasWrittenTheNamedPagesAreRead) {
  EXPECT_EQ(ChooseNamed(Table(5, written_)), ReadChoice::kNamed);
  written_.size += 16384;
  EXPECT_EQ(ChooseNamed(Table(5, written_)), ReadChoice::kNamed) << "it has grown";
  changed_.pages.clear();
  EXPECT_EQ(ChooseNamed(Table(5, written_)), ReadChoice::kNamed) << "the redo has no page of it";
  IncrementBase base(manifest_);
  EXPECT_TRUE(base.NamedPagesOf(Table()).empty());
  base.SetChangedPages({.to = 7, .pages = {{5, {3, 4}}}, .remade = {}});
  EXPECT_EQ(base.NamedPagesOf(Table()), (std::vector<PageNo>{3, 4}));
  EXPECT_EQ(base.named_to(), 7U);
}

TEST_F(NamedPagesTest, EveryDoubtMeansReadingAll) {
  EXPECT_EQ(ChooseNamed(Table(6, written_)), ReadChoice::kRead) << "another tablespace";
  EXPECT_EQ(ChooseNamed(Table(5, written_), 0), ReadChoice::kRead) << "it may be imported";
  EXPECT_EQ(ChooseNamed(Table(5, written_), kEnd, /*keeps_times=*/false), ReadChoice::kRead);
  for (uint64_t io::FileIdentity::*member : {&io::FileIdentity::inode}) {
    io::FileIdentity file = written_;
    ++(file.*member);
    EXPECT_EQ(ChooseNamed(Table(5, file)), ReadChoice::kRead);
  }
  io::FileIdentity file = written_;
  ++file.birth_ns;
  EXPECT_EQ(ChooseNamed(Table(5, file)), ReadChoice::kRead);
  file = written_;
  file.size -= 16384;
  EXPECT_EQ(ChooseNamed(Table(5, file)), ReadChoice::kRead) << "it was cut";
  SpaceFile compressed = Table(5, written_);
  compressed.flags = innodb::TablespaceFlags::Decode(0x35).value();
  EXPECT_EQ(ChooseNamed(compressed), ReadChoice::kRead);
  boot_id_ = "another";
  EXPECT_EQ(ChooseNamed(Table(5, written_)), ReadChoice::kRead);
  boot_id_ = "boot";
  changed_.remade = {5};
  EXPECT_EQ(ChooseNamed(Table(5, written_)), ReadChoice::kRead);
}

TEST_F(NamedPagesTest, WhatTheRedoSaysCountsMoreThanTheTimes) {
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kNamed);
  changed_.pages = {{6, {1}}};
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kSkip);
  changed_.remade = {5};
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kRead);
}

TEST_F(NamedPagesTest, TheRedoIsBelievedWhetherTimesAreOrNot) {
  trusts_times_ = false;
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kNamed);
  changed_.pages.clear();
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kNamed) << "its times would say kSkip";
  reads_all_ = true;
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kRead);
  trusts_times_ = true;
  EXPECT_EQ(ChooseNamed(Table(), kEnd), ReadChoice::kRead);
}

TEST_F(NamedPagesTest, EachChunkIsInTheShareOfOneIncrementOfAFewHoweverOftenTheyAreMade) {
  for (const SpaceId space : {0U, 5U, 4294967279U}) {
    for (uint64_t chunk = 0; chunk < 40; ++chunk) {
      for (const uint64_t interval : {1U, 6U, 12U, 24U, 168U}) {
        int count = 0;
        for (uint64_t number = 0; number < IncrementBase::kShareRate; ++number) {
          IncrementBase base(manifest_);
          base.SetReadPolicy({false, false, "boot", "uuid", 490'000 + interval * number});
          count += base.IsInShare(space, chunk) ? 1 : 0;
        }
        EXPECT_EQ(count, 1) << space << ", chunk " << chunk << ", every " << interval << " hours";
      }
    }
  }
}

TEST_F(TimeTrustTest, OtherFilesAreJudgedByTheSameRule) {
  IncrementBase base(manifest_);
  base.SetReadPolicy({false, true, "boot", "u"});
  const ManifestFile& known = *base.FindFile("d/t.frm");
  EXPECT_NE(base.ChooseReading(known, kFile, true), ReadChoice::kRead);
  io::FileIdentity file = kFile;
  ++file.mtime_ns;
  EXPECT_EQ(base.ChooseReading(known, file, true), ReadChoice::kRead);
}

}  // namespace
}  // namespace hbk::backup::increment_base_test
