#include "command_line.h"

#include <utility>

#include <fmt/format.h>

#include "foreign_options.h"

namespace hbk::cli {
namespace {

constexpr std::string_view kOrigin = "command line";

std::optional<seal::KeySlotAction> FindKeyAction(std::string_view word) {
  using enum seal::KeySlotAction;
  if (word == "add") return kAdd;
  if (word == "remove") return kRemove;
  if (word == "list") return kList;
  if (word == "test") return kTest;
  return std::nullopt;
}

class CommandLineParser {
 public:
  CommandLineParser(std::span<const std::string> words, OptionValues& values)
      : words_(words), values_(values) {}

  Result<CommandLine> Run() {
    while (next_ < words_.size()) {
      const std::string& word = words_[next_++];
      HBK_RETURN_IF_ERROR(TakeWord(word));
      if (result_.action == CommandLine::Action::kVersion) return result_;
    }
    if (result_.action == CommandLine::Action::kHelp) return result_;
    if (!result_.command) {
      return UsageError("no command given").WithHint("hbk --help lists the commands");
    }
    if (result_.command == Command::kKey && !result_.key_action) {
      return UsageError("hbk key: nothing said that it should do")
          .WithHint("hbk key list, hbk key test, hbk key add or hbk key remove; hbk help key");
    }
    if (result_.command == Command::kInfo && result_.directories.empty()) {
      return UsageError("hbk info: no directory was named")
          .WithHint("hbk info DIR...; hbk help info shows an example");
    }
    HBK_RETURN_IF_ERROR(CheckApplies());
    return result_;
  }

 private:
  Status TakeWord(std::string_view word) {
    if (word == "--help" || word == "-?") {
      result_.action = CommandLine::Action::kHelp;
      return OkStatus();
    }
    if (word == "--version") {
      result_.action = CommandLine::Action::kVersion;
      return OkStatus();
    }
    if (word == "--" || word == "-" || word.empty() || word.front() != '-') return TakeName(word);
    if (!word.starts_with("--")) return TakeShort(word);
    word.remove_prefix(2);
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = word.substr(equals + 1);
    if (IsDefaultsOption(name)) return TakeDefaultsOption(name, value);
    return TakeLong(name, value);
  }

  // A word that is no option: the command, or an error.
  Status TakeName(std::string_view word) {
    if (result_.command == Command::kKey && !result_.key_action) {
      result_.key_action = FindKeyAction(word);
      if (result_.key_action) return OkStatus();
    }
    if (result_.command == Command::kInfo && !word.empty() && word.front() != '-') {
      result_.directories.emplace_back(word);
      return OkStatus();
    }
    const Command* command = FindCommand(word);
    if (last_asking_ != nullptr && (command == nullptr || result_.command)) {
      const std::string option = last_asking_->letter == 0
                                     ? fmt::format("--{}", last_asking_->name)
                                     : fmt::format("-{}", last_asking_->letter);
      return UsageError(fmt::format("a word follows {}, which takes no separate word", option))
          .WithHint(last_asking_->letter == 0
                        ? fmt::format("write {}=TEXT, or leave it out to be asked", option)
                        : fmt::format("write the password behind {} without a space, or leave it "
                                      "out to be asked",
                                      option));
    }
    if (!result_.command && word == "help") {
      result_.action = CommandLine::Action::kHelp;
      return OkStatus();
    }
    if (command == nullptr || result_.command) {
      const bool had_command = result_.command.has_value();
      return UsageError(
                 fmt::format("{} '{}'", had_command ? "unexpected word" : "unknown command", word))
          .WithHint(had_command
                        ? "values of options are written --name=value"
                        : "the commands are: backup, extract, prepare, copy-back, move-back, "
                          "decompress, decrypt, key, info");
    }
    result_.command = *command;
    return OkStatus();
  }

  static bool IsDefaultsOption(std::string_view name) {
    return name == "no-defaults" || name == "print-defaults" || name == "defaults-file" ||
           name == "defaults-extra-file" || name == "defaults-group-suffix";
  }

  Status TakeDefaultsOption(std::string_view name, std::optional<std::string_view> value) {
    if (has_options_) {
      return UsageError(fmt::format("--{} must come before all other options", name))
          .WithHint(fmt::format("hbk --{} COMMAND ...", name));
    }
    if (name == "no-defaults" || name == "print-defaults") {
      if (value) return UsageError(fmt::format("--{} takes no value", name));
      (name == "no-defaults" ? result_.defaults.no_defaults : result_.defaults.print_defaults) =
          true;
      return OkStatus();
    }
    if (!value && next_ < words_.size()) value = words_[next_++];
    if (!value || value->empty()) return UsageError(fmt::format("--{} needs a value", name));
    if (name == "defaults-file") {
      result_.defaults.file = *value;
    } else if (name == "defaults-extra-file") {
      result_.defaults.extra_file = *value;
    } else {
      result_.defaults.group_suffix = *value;
    }
    return OkStatus();
  }

  Status TakeLong(std::string_view written, std::optional<std::string_view> value) {
    const OptionName name = ResolveOptionName(written);
    if (name.spec == nullptr) {
      const ForeignOption* foreign = FindForeignOption(name.normalized);
      if (foreign != nullptr && foreign->kind == ForeignKind::kIgnored) {
        if (!value && next_ < words_.size()) ++next_;
        return OkStatus();
      }
      if (name.is_loose) return OkStatus();
      return UnknownOptionError(name, kOrigin);
    }
    return Take(*name.spec, value, name.is_negated);
  }

  Status TakeShort(std::string_view word) {
    const OptionSpec* spec = FindOptionByLetter(word[1]);
    if (spec == nullptr) {
      return UsageError(fmt::format("unknown option -{}", word[1]))
          .WithHint("hbk --help lists the options");
    }
    std::optional<std::string_view> value;
    if (word.size() > 2) value = word.substr(2);
    return Take(*spec, value, false);
  }

  Status Take(const OptionSpec& spec, std::optional<std::string_view> value, bool is_negated) {
    has_options_ = true;
    const bool takes_next = spec.kind != ValueKind::kFlag && spec.kind != ValueKind::kPassword &&
                            spec.kind != ValueKind::kMaybeText;
    if (!value && takes_next && next_ < words_.size()) value = words_[next_++];
    last_asking_ = spec.kind == ValueKind::kPassword && !value ? &spec : nullptr;
    given_.push_back(&spec);
    return values_.Set(spec, value, is_negated, SettingRank::kCommandLine, kOrigin);
  }

  Status CheckApplies() const {
    for (const OptionSpec* spec : given_) {
      if (spec->AppliesTo(*result_.command)) continue;
      std::string others;
      for (const Command command : kCommands) {
        if (spec->AppliesTo(command)) others += fmt::format(" {}", CommandName(command));
      }
      return UsageError(fmt::format("--{} is no option of hbk {}", spec->name,
                                    CommandName(*result_.command)))
          .WithHint(fmt::format("it belongs to:{}", others));
    }
    return OkStatus();
  }

  std::span<const std::string> words_;
  OptionValues& values_;
  size_t next_ = 0;
  bool has_options_ = false;
  const OptionSpec* last_asking_ = nullptr;  // a password that is to be asked for
  std::vector<const OptionSpec*> given_;
  CommandLine result_;
};

}  // namespace

Result<CommandLine> ParseCommandLine(std::span<const std::string> words, OptionValues& values) {
  return CommandLineParser(words, values).Run();
}

Status UnknownOptionError(const OptionName& name, std::string_view origin) {
  const Status error = UsageError(fmt::format("unknown option --{} ({})", name.normalized, origin));
  const ForeignOption* foreign = FindForeignOption(name.normalized);
  if (foreign != nullptr) return error.WithHint(ForeignHint(*foreign));
  const std::string nearest = NearestOptionName(name.normalized);
  if (!nearest.empty()) return error.WithHint(fmt::format("did you mean --{}?", nearest));
  return error.WithHint("hbk --help lists the options");
}

}  // namespace hbk::cli
