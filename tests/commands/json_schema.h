// Checks a JSON document against a JSON Schema, as far as docs/schemas/ uses it: type, const, enum, required,
// properties, items, minimum, pattern and $ref into $defs. Stricter than the standard in one point: a member that the
// schema does not know is an error, so that a new member cannot stay undocumented.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace inspect::test {

/// Sentences, each with the place in the document; empty: it conforms. A keyword that is not supported is an error too.
std::vector<std::string> schema_errors(const nlohmann::json &schema, const nlohmann::json &document);

} // namespace inspect::test
