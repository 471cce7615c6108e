// SPDX-License-Identifier: MIT
#pragma once
// What start.cpp gives a board's program, and what it calls.

namespace board {

/// Shows a text that ends in '\0' on the desk.
void print(const char* text);
/// Ends the emulation with this status.
[[noreturn]] void stop(int status);
/// The program; its result is the status.
int main();

}  // namespace board
