// --metrics-file: figures of a run, where the node exporter of Prometheus picks them up.
//
// The file is replaced as a whole. What it had of other commands stays, and so does, after a
// failure, the time of the last success. Which metrics there are: src/report/metrics.cc.
//
// Errors   kUsage: the path leads to something that is no such file, or into no directory; else
// those
//          of the file system.
// Threads  One at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hbk/backup/backup_runner.h"
#include "hbk/base/status.h"
#include "hbk/io/file_system.h"
#include "hbk/report/metrics.h"
#include "hbk/report/run_recorder.h"

namespace hbk::cli {

// What a command knows of its run beyond what it reports.
struct RunFigures {
  std::optional<backup::BackupSummary> backup;
  std::optional<uint64_t> stored_bytes;  // of a backup in a directory
};

// `label` tells the series of several files apart.
std::vector<report::Metric> MakeMetrics(std::string_view command, const std::string& label,
                                        int exit_code, const report::RunRecord& record,
                                        const RunFigures& figures);

// "hbk-shop" for "/var/lib/x/hbk-shop.prom".
std::string MetricsLabel(std::string_view path);

// Before the run: that the file could be written, as far as can be seen, and is one of ours.
Status CheckMetricsFile(io::FileSystem& fs, const std::string& path);

// All of `metrics` are of one command. Readable by everybody: the exporter is somebody else.
Status StoreMetrics(io::FileSystem& fs, const std::string& path,
                    std::vector<report::Metric> metrics);

}  // namespace hbk::cli
