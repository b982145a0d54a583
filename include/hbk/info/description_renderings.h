// Descriptions of backups as text for people and as JSON for programs.
//
// Format   docs/json-output.md, "hbk info".
// Threads  Pure functions.
#pragma once

#include <string>
#include <vector>

#include "hbk/info/backup_chain.h"
#include "hbk/info/backup_description.h"

namespace hbk::info {

// All of them, parents first, and of more than one how they hang together.
std::string DescriptionText(const std::vector<BackupDescription>& backups);

// A JSON object a line, in the order of DescriptionText.
std::string DescriptionJson(const std::vector<BackupDescription>& backups);

}  // namespace hbk::info
