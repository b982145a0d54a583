// The only main().
#include <cstdio>
#include <exception>

#include "program.h"

int main(int argc, char** argv) {
  try {
    return hbk::cli::RunProgram(argc, argv);
  } catch (const std::exception& error) {
    // Memory ran out, or an exception of a library got through.
    (void)std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
