// Passwords do not stay where they came in: argv, environment, text of files.
//
// Threads  Before the first thread is started.
#pragma once

#include <string>
#include <string_view>

namespace hbk::cli {

// Overwrites the text and makes it empty.
void WipeText(std::string& text);

// Whether the name of an option, as somebody may have mistyped it, is that of a secret: a password,
// a token, the secret of a key file, a key or the command that prints it, or a command that may
// hold one (--on-failure).
bool IsSecretName(std::string_view name);

// Overwrites, in the process's own argument list, everything that is or could be a secret: what
// follows -p, and the value of any long option with such a name, be it behind the '=' or the next
// word. The first byte becomes 'x', the rest zero bytes, so that not even the length shows in ps or
// /proc/PID/cmdline. Call it with the argv of main() after having copied the words.
void WipePasswordArguments(int argc, char** argv);

// Overwrites the value of a variable of the environment and removes it.
void WipeEnvironment(const char* name);

}  // namespace hbk::cli
