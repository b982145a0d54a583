// The program around the operations: options in, one operation, exit code out.
//
// Threads  RunProgram is called once, from main, before any other thread is started.
#pragma once

namespace hbk::cli {

// Takes the arguments of main() and overwrites passwords among them.
int RunProgram(int argc, char** argv);

}  // namespace hbk::cli
