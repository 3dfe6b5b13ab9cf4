#include "tests/commands/json_schema.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

namespace inspect::test {
namespace {

using Json = nlohmann::json;

bool has_type(const Json &value, const std::string &type) {
  if (type == "integer")
    return value.is_number_integer();
  if (type == "number")
    return value.is_number();
  return value.type_name() == type;
}

class Validator {
public:
  explicit Validator(const Json &root) : root_(root) {}

  void check(const Json &schema, const Json &value, const std::string &where) {
    static const std::set<std::string> known = {"$schema",    "$defs",   "title",  "description", "type",
                                                "const",      "enum",    "items",  "$ref",        "required",
                                                "properties", "minimum", "pattern"};
    for (const auto &[keyword, unused] : schema.items())
      if (!known.contains(keyword))
        fail(where, fmt::format("the schema uses {}, which this test does not know", keyword));
    if (schema.contains("$ref"))
      check(resolve(schema["$ref"]), value, where);
    check_value(schema, value, where);
    if (value.is_object() && schema.contains("properties"))
      check_members(schema, value, where);
    if (value.is_array() && schema.contains("items"))
      for (std::size_t i = 0; i < value.size(); ++i)
        check(schema["items"], value[i], fmt::format("{}[{}]", where, i));
  }

  std::vector<std::string> take_errors() { return std::move(errors_); }

private:
  const Json &resolve(const Json &reference) const {
    // "#/$defs/frame" is a JSON pointer behind the '#'.
    return root_.at(Json::json_pointer(reference.get<std::string>().substr(1)));
  }

  void check_value(const Json &schema, const Json &value, const std::string &where) {
    if (schema.contains("type")) {
      const Json &type = schema["type"];
      const Json types = type.is_array() ? type : Json::array({type});
      if (std::ranges::none_of(types, [&](const Json &one) { return has_type(value, one.get<std::string>()); }))
        fail(where, fmt::format("{} is not of type {}", value.dump(), type.dump()));
    }
    if (schema.contains("const") && value != schema["const"])
      fail(where, fmt::format("{} is not {}", value.dump(), schema["const"].dump()));
    if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end())
      fail(where, fmt::format("{} is none of {}", value.dump(), schema["enum"].dump()));
    if (schema.contains("minimum") && value.is_number() && value < schema["minimum"])
      fail(where, fmt::format("{} is less than {}", value.dump(), schema["minimum"].dump()));
    if (schema.contains("pattern") && value.is_string() &&
        !std::regex_search(value.get<std::string>(), std::regex(schema["pattern"].get<std::string>())))
      fail(where, fmt::format("{} does not match {}", value.dump(), schema["pattern"].dump()));
  }

  void check_members(const Json &schema, const Json &value, const std::string &where) {
    const Json &properties = schema["properties"];
    for (const Json &name : schema.value("required", Json::array()))
      if (!value.contains(name.get<std::string>()))
        fail(where, fmt::format("{} is missing", name.dump()));
    for (const auto &[name, member] : value.items()) {
      const std::string place = fmt::format("{}.{}", where, name);
      if (properties.contains(name))
        check(properties[name], member, place);
      else
        fail(place, "is not in the schema");
    }
  }

  void fail(const std::string &where, const std::string &what) { errors_.push_back(where + ": " + what); }

  const Json &root_;
  std::vector<std::string> errors_;
};

} // namespace

std::vector<std::string> schema_errors(const Json &schema, const Json &document) {
  Validator validator(schema);
  validator.check(schema, document, "$");
  return validator.take_errors();
}

} // namespace inspect::test
