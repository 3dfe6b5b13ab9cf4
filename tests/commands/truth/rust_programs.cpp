#include "tests/commands/truth/rust_programs.h"

#include "tests/commands/truth/rust_values.h"

#include <fmt/format.h>

namespace inspect::test {
namespace {

using Kind = RustType::Kind;

constexpr std::string_view beginning =
    R"(#![allow(warnings, arithmetic_overflow, unconditional_panic, overflowing_literals)]
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{CString, OsString};
use std::fmt::Debug;
use std::io::Write;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI64, NonZeroU32, Wrapping};
use std::ops::{Bound, ControlFlow, Range, RangeFrom, RangeFull, RangeInclusive};
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex, RwLock};
use std::task::Poll;
use std::time::Duration;

pub trait Shown: Debug {}
impl<T: Debug> Shown for T {}
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// The compiler may not know what a value is.
#[inline(never)]
fn opaque<T>(value: T) -> T {
    let value = ManuallyDrop::new(value);
    unsafe { std::ptr::read_volatile(&*value) }
}
/// Nor that nobody wants it any more.
#[inline(never)]
fn keep<T: ?Sized>(value: &T) {
    KEPT.store(value as *const T as *const () as usize, std::sync::atomic::Ordering::SeqCst);
}
#[inline(never)]
fn keep_copy<T: Copy>(value: T) {
    keep(&value);
}
#[inline(never)]
fn say(function: &str, question: &str, variable: &str, text: String) {
    println!("{}\t{}\t{}\t{}", function, question, variable, text);
}
/// Another lock() of the same expression would wait for the guard of the first.
fn unlocked<T>(mutex: &Mutex<T>) -> &T {
    unsafe { &*(&*mutex.lock().unwrap() as *const T) }
}
/// One whose first elements lie behind the last ones.
fn turned<T>(values: Vec<T>) -> VecDeque<T> {
    let mut turned = VecDeque::with_capacity(values.len() + 3);
    for value in values.into_iter().rev() {
        turned.push_front(value);
    }
    turned
}
#[inline(never)]
fn rest() {
    println!("ready");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {}
}
)";

/// A variable as a function has it.
struct Variable {
  std::string name;
  RustValue value;
  bool is_reference = false;
};

struct Scalar {
  std::string ours;
  std::string program;
  std::string variable;
  std::string type;
};

struct Typed {
  std::string ours;
  std::string program;
};

std::string rust_literal(const std::string &text) {
  std::string made = "\"";
  for (const char one : text)
    made += one == '"' || one == '\\' ? std::string("\\") + one : std::string(1, one);
  return made + "\"";
}

/// The questions about the variables of one function, as statements of its own.
class Questions {
public:
  Questions(RustMaker &maker, std::string function) : maker_(maker), function_(std::move(function)) {}

  void about(const Variable &variable) {
    const std::string place = variable.is_reference ? fmt::format("(*{})", variable.name) : variable.name;
    asked_ = 0;
    ask(variable.name, place, variable.name);
    if (variable.is_reference)
      ask("*" + variable.name, place, variable.name);
    parts(variable.value, place, place, variable.name);
    if (variable.value.type->kind == Kind::integer || variable.value.type->kind == Kind::floating ||
        variable.value.type->kind == Kind::boolean || variable.value.type->kind == Kind::character)
      scalars_.push_back({place, place, variable.name, variable.value.type->name});
  }

  /// Expressions over the scalars that were met.
  void calculations(std::size_t count) {
    constexpr std::string_view types[] = {"i8",  "i16",  "i32",   "i64",   "i128", "u8",  "u16",  "u32",
                                          "u64", "u128", "isize", "usize", "f32",  "f64", "bool", "char"};
    for (std::size_t i = 0; i < count && !scalars_.empty(); ++i) {
      variable_ = "";
      const std::string type(maker_.one_in(2) ? scalars_[maker_.below(scalars_.size())].type : maker_.any_of(types));
      const Typed made = tree(type, 1 + static_cast<int>(maker_.below(3)));
      ask(made.ours, made.program, variable_);
    }
  }

  void ask(const std::string &ours, const std::string &program, const std::string &variable) {
    text_ += fmt::format("    say({}, {}, {}, format!(\"{{:?}}\", {}));\n", rust_literal(function_), rust_literal(ours),
                         rust_literal(variable), program);
  }
  /// As gdb does, inspect says where a thing is when asked for a reference that is made for the question.
  void ask_address(const std::string &ours, const std::string &program, const std::string &variable) {
    text_ += fmt::format("    say({}, {}, {}, format!(\"{{:p}}\", {}));\n", rust_literal(function_), rust_literal(ours),
                         rust_literal(variable), program);
  }
  const std::string &text() const { return text_; }

private:
  static constexpr std::size_t most_of_one = 14;

  void parts(const RustValue &value, const std::string &ours, const std::string &program, const std::string &variable) {
    slices(value, ours, program, variable);
    comparisons(value, ours, program, variable);
    for (const RustValue::Part &part : value.parts) {
      if (asked_ >= most_of_one)
        return;
      if (value.parts.size() > 5 && maker_.below(value.parts.size()) > 4)
        continue;
      ++asked_;
      const std::string our_place = filled_in(part.ours, ours);
      const std::string program_place = filled_in(part.program, program);
      const RustType &type = *part.value->type;
      const bool is_scalar = type.kind == Kind::integer || type.kind == Kind::floating || type.kind == Kind::boolean ||
                             type.kind == Kind::character;
      if (is_scalar)
        scalars_.push_back({our_place, program_place, variable, type.name});
      // A copy, so that the compiler need not keep the value in memory.
      ask(our_place, is_scalar ? "{ " + program_place + " }" : program_place, variable);
      if (is_scalar && maker_.one_in(4) && program_place.find("get()") == std::string::npos)
        ask_address("&" + our_place, "&" + program_place, variable);
      parts(*part.value, our_place, program_place, variable);
    }
  }

  void slices(const RustValue &value, const std::string &ours, const std::string &program,
              const std::string &variable) {
    const RustType &type = *value.type;
    if (type.kind != Kind::sequence || !type.has_index)
      return;
    ask(fmt::format("len({})", ours), program + ".len()", variable);
    if (value.length < 2 || type.name.starts_with("VecDeque"))
      return;
    const std::size_t begin = maker_.below(value.length);
    const std::size_t end = begin + maker_.below(value.length - begin);
    for (const std::string &range : {fmt::format("{}..{}", begin, end), fmt::format("{}..", begin),
                                     fmt::format("..{}", end), fmt::format("{}..={}", begin, end)})
      if (maker_.one_in(2))
        ask(fmt::format("&{}[{}]", ours, range), fmt::format("&{}[{}]", program, range), variable);
  }

  void comparisons(const RustValue &value, const std::string &ours, const std::string &program,
                   const std::string &variable) {
    const RustType &type = *value.type;
    if ((type.name == "String" || type.name == "&'static str") && !value.literal.empty()) {
      const std::string literal = maker_.one_in(2) ? value.literal : "\"word\"";
      constexpr std::string_view operators[] = {"==", "!=", "<", ">="};
      // Only String and &str are equal to a literal as they are; an order is one of str.
      const bool is_order = maker_.one_in(2);
      const std::string_view sign = operators[(is_order ? 2U : 0U) + maker_.below(2)];
      ask(fmt::format("{} {} {}", ours, sign, literal), fmt::format("{}[..] {} {}[..]", program, sign, literal),
          variable);
    }
    if (type.made == "plain")
      for (const std::string_view number : {"i64", "u8"})
        ask(fmt::format("{} as {}", ours, number), fmt::format("{} as {}", program, number), variable);
  }

  Typed scalar_of(const std::string &type) {
    std::vector<const Scalar *> fitting;
    for (const Scalar &one : scalars_)
      if (one.type == type)
        fitting.push_back(&one);
    if (!fitting.empty() && !maker_.one_in(4)) {
      const Scalar &one = *fitting[maker_.below(fitting.size())];
      variable_ = variable_.empty() || variable_ == one.variable ? one.variable : variable_ + "," + one.variable;
      return {one.ours, one.program};
    }
    if (type == "bool")
      return literal(maker_.one_in(2) ? "true" : "false");
    if (type == "char")
      return literal("'k'");
    if (type.starts_with('f'))
      return literal(maker_.float_literal(type));
    return literal(maker_.integer_literal(type));
  }

  static Typed literal(const std::string &text) { return {text, text}; }

  static Typed joined(const Typed &left, const std::string &between, const Typed &right) {
    return {fmt::format("({} {} {})", left.ours, between, right.ours),
            fmt::format("({} {} {})", left.program, between, right.program)};
  }

  Typed tree(const std::string &type, int depth) {
    if (depth <= 0)
      return scalar_of(type);
    if (type == "bool")
      return truth(depth);
    if (type == "char") {
      const Typed inner = tree("u8", depth - 1);
      return {fmt::format("({} as char)", inner.ours), fmt::format("({} as char)", inner.program)};
    }
    if (maker_.one_in(4))
      return cast(type, depth);
    if (maker_.one_in(7) && (type.starts_with('i') || type.starts_with('f'))) {
      const Typed inner = tree(type, depth - 1);
      return {"(-" + inner.ours + ")", "(-" + inner.program + ")"};
    }
    return type.starts_with('f') ? float_operation(type, depth) : integer_operation(type, depth);
  }

  Typed truth(int depth) {
    if (maker_.one_in(3)) {
      const Typed left = tree("bool", depth - 1);
      const Typed right = tree("bool", depth - 1);
      constexpr std::string_view operators[] = {"&&", "||", "==", "!=", "^", "&", "|"};
      return joined(left, std::string(maker_.any_of(operators)), right);
    }
    if (maker_.one_in(5)) {
      const Typed inner = tree("bool", depth - 1);
      return {"!" + inner.ours, "!" + inner.program};
    }
    constexpr std::string_view types[] = {"i8", "u8", "i64", "u64", "i128", "u128", "f32", "f64", "char"};
    const std::string type(scalars_.empty() || maker_.one_in(3) ? std::string(maker_.any_of(types))
                                                                : scalars_[maker_.below(scalars_.size())].type);
    constexpr std::string_view operators[] = {"==", "!=", "<", "<=", ">", ">="};
    const Typed left = tree(type, depth - 1);
    const Typed right = tree(type, depth - 1);
    return joined(left, std::string(maker_.any_of(operators)), right);
  }

  Typed cast(const std::string &type, int depth) {
    constexpr std::string_view numbers[] = {"i8", "u8", "i32", "u64", "i128", "u128", "f32", "f64"};
    constexpr std::string_view others[] = {"char", "bool"};
    const bool from_other = !type.starts_with('f') && maker_.one_in(4);
    const std::string from(from_other ? maker_.any_of(others) : maker_.any_of(numbers));
    const Typed inner = tree(from, depth - 1);
    return {fmt::format("({} as {})", inner.ours, type), fmt::format("({} as {})", inner.program, type)};
  }

  Typed float_operation(const std::string &type, int depth) {
    constexpr std::string_view operators[] = {"+", "-", "*", "/", "%"};
    const Typed left = tree(type, depth - 1);
    const Typed right = tree(type, depth - 1);
    return joined(left, std::string(maker_.any_of(operators)), right);
  }

  Typed integer_operation(const std::string &type, int depth) {
    constexpr std::string_view operators[] = {"+", "-", "*", "&", "|", "^"};
    const Typed left = tree(type, depth - 1);
    switch (maker_.below(8)) {
    case 0: // not by zero, and not the smallest by -1
      return joined(left, "/", literal(fmt::format("{}{}", 1 + maker_.below(100), type)));
    case 1:
      return joined(left, "%", literal(fmt::format("{}", 1 + maker_.below(100))));
    case 2:
      return joined(left, maker_.one_in(2) ? "<<" : ">>",
                    literal(fmt::format("{}", maker_.below(RustMaker::width_of(type)))));
    case 3:
      return {"!" + left.ours, "!" + left.program};
    case 4:
      return joined(left, std::string(maker_.any_of(operators)), literal(fmt::format("{}", maker_.below(100))));
    default:
      return joined(left, std::string(maker_.any_of(operators)), tree(type, depth - 1));
    }
  }

  RustMaker &maker_;
  std::string function_;
  std::string text_;
  std::vector<Scalar> scalars_;
  std::string variable_; ///< those that the expression being made has
  std::size_t asked_ = 0;
};

/// One link of the chain.
struct Step {
  std::string text; ///< its definition
  std::string call; ///< of it
};

class ProgramMaker {
public:
  explicit ProgramMaker(std::uint64_t seed) : maker_(seed) {}

  std::string program() {
    for (std::size_t i = 0; i < definitions; ++i)
      maker_.define(i);
    const std::string statics = static_variables();
    std::string functions;
    std::string next = "rest()";
    for (std::size_t i = steps; i-- > 0;) {
      const Step step = made_step(i, next);
      functions += step.text;
      next = step.call;
    }
    return std::string(beginning) + maker_.definitions() + statics + functions +
           fmt::format("fn main() {{\n    {};\n    keep(&KEPT);\n}}\n", next);
  }

private:
  static constexpr std::size_t definitions = 9;
  static constexpr std::size_t steps = 6;

  std::string static_variables() {
    std::string text;
    for (std::size_t i = 0; i < 3; ++i) {
      const RustTypeRef type = maker_.scalar();
      const RustValue value = maker_.value(type);
      statics_.push_back({.name = fmt::format("GLOBAL_{}", i), .value = value});
      text += fmt::format("static GLOBAL_{}: {} = {};\n", i, type->name, value.text);
      const RustValue other = maker_.value(type);
      statics_.push_back(
          {.name = fmt::format("inner::TABLE_{}", i),
           .value = {.type = std::make_shared<const RustType>(RustType{
                         .kind = Kind::sequence, .name = fmt::format("[{}; 2]", type->name), .has_index = true}),
                     .text = "",
                     .parts = {{"{}[1]", "{}[1]", std::make_shared<const RustValue>(other)}},
                     .length = 2}});
      text += fmt::format("mod inner_{0} {{ pub static TABLE_{0}: [{1}; 2] = [{2}, {3}]; }}\n", i, type->name,
                          value.text, other.text);
      statics_.back().name = fmt::format("inner_{0}::TABLE_{0}", i);
    }
    return text;
  }

  /// Its variables as parameters, as locals, and as what the closure in it captures.
  Step made_step(std::size_t number, const std::string &next) {
    const std::string name = fmt::format("step_{}", number);
    const std::string path = "truth_rust::" + name;
    std::string parameters;
    std::string arguments;
    std::vector<Variable> variables;
    for (std::size_t i = 0; i < 3; ++i) {
      Variable one{
          .name = fmt::format("given_{}", i), .value = maker_.value(maker_.type(2)), .is_reference = maker_.one_in(3)};
      const std::string_view mark = one.is_reference ? "&" : "";
      parameters += fmt::format("{}: {}{}, ", one.name, mark, one.value.type->name);
      arguments += fmt::format("{}opaque::<{}>({}), ", mark, one.value.type->name, one.value.text);
      variables.push_back(std::move(one));
    }
    std::string body;
    for (std::size_t i = 0; i < 6; ++i) {
      Variable one{.name = fmt::format("local_{}", i), .value = maker_.value(i < 2 ? maker_.scalar() : maker_.type(3))};
      if (maker_.one_in(4)) { // hidden by the next one of its name
        const RustValue hidden = maker_.value(maker_.scalar());
        body +=
            fmt::format("    let {0}: {1} = opaque({2});\n    keep(&{0});\n", one.name, hidden.type->name, hidden.text);
      }
      body += fmt::format("    let {}: {} = opaque({});\n", one.name, one.value.type->name, one.value.text);
      variables.push_back(std::move(one));
    }
    const bool is_method = maker_.one_in(3);
    const RustValue held = maker_.value(maker_.type(2));
    const std::string holder = fmt::format("Holder{}", number);
    Questions questions(maker_, is_method ? fmt::format("truth_rust::{}::{}", holder, name) : path);
    if (is_method) {
      questions.ask("self", "self", "self");
      questions.ask("*self", "*self", "self");
      questions.about({.name = "self.held", .value = held});
    }
    for (const Variable &one : variables)
      questions.about(one);
    for (const Variable &one : statics_)
      if (maker_.one_in(3))
        questions.about(one);
    questions.calculations(20);
    body += questions.text();
    body += !is_method && maker_.one_in(3) ? closure(path, variables.back(), next) : "    " + next + ";\n";
    for (const Variable &one : variables)
      if (!maker_.one_in(4))
        body += fmt::format("    {}({}{});\n",
                            one.value.type->is_copy && maker_.one_in(2) && !one.is_reference ? "keep_copy" : "keep",
                            one.is_reference ? "" : "&", one.name);
    if (!is_method)
      return {fmt::format("#[inline(never)]\nfn {}({}) {{\n{}}}\n", name, parameters, body),
              fmt::format("{}({})", name, arguments)};
    return {
        fmt::format("#[derive(Debug)]\nstruct {0} {{ held: {1} }}\nimpl {0} {{\n#[inline(never)]\nfn {2}(&self, {3}) "
                    "{{\n{4}    keep(self);\n}}\n}}\n",
                    holder, held.type->name, name, parameters, body),
        fmt::format("{} {{ held: opaque::<{}>({}) }}.{}({})", holder, held.type->name, held.text, name, arguments)};
  }

  /// Calls the next step from within.
  std::string closure(const std::string &path, const Variable &captured, const std::string &next) {
    Questions questions(maker_, path + "::{{closure}}");
    questions.about(captured);
    questions.ask("number", "number", "number");
    return fmt::format("    let mut closure = |number: i32| {{\n{}    {};\n    keep(&number); keep(&{});\n    }};\n    "
                       "opaque(&mut closure)(7);\n",
                       questions.text(), next, captured.name);
  }

  RustMaker maker_;
  std::vector<Variable> statics_;
};

} // namespace

std::string rust_program(std::uint64_t seed) {
  return ProgramMaker(seed).program();
}

} // namespace inspect::test
