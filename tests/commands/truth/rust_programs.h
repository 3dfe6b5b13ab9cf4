// Programs of Rust made up from a seed, which say the truth about their own values: each prints lines of
// "function<TAB>question<TAB>variable<TAB>text", the text being what {:?} makes of the question's value and the
// variable the one that it begins with, then "ready", and rests until its input ends.
//
// A chain of functions, methods and closures that are not inlined, each with parameters and locals of made-up types.
// They compile with rustc 1.63 and later.
#pragma once

#include <cstdint>
#include <string>

namespace inspect::test {

/// The crate has to be called truth_rust: the functions' names begin so.
std::string rust_program(std::uint64_t seed);

} // namespace inspect::test
