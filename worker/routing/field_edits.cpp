#include "worker/routing/field_edits.h"

#include "shared/base/bytes.h"

namespace proxyd::routing {

FieldEdits::FieldEdits(const config::FieldEdits& edits, const std::map<std::string, std::string>& files) {
  const auto value = [&files](const config::FieldValue& given) {
    if (!given.is_file) return ValueTemplate(given.text);
    const auto content = files.find(given.text);
    return ValueTemplate::literal(content == files.end() ? "" : content->second);
  };
  for (const std::string& name : edits.remove) {
    const bool prefix = name.ends_with('*');
    edits_.push_back(
        {prefix ? Kind::kRemovePrefix : Kind::kRemove, prefix ? name.substr(0, name.size() - 1) : name, {}});
  }
  for (const auto& [name, given] : edits.set) edits_.push_back({Kind::kSet, name, value(given)});
  for (const auto& [name, given] : edits.add) edits_.push_back({Kind::kAdd, name, value(given)});
  for (const auto& [name, given] : edits.if_absent) edits_.push_back({Kind::kSetIfAbsent, name, value(given)});
  for (const Edit& edit : edits_) {
    if (edit.value.is_constant()) continue;
    varying_.push_back(edit.name);
    for (char& c : varying_.back()) c = ascii_lower(c);
  }
}

void FieldEdits::apply(http::Fields& fields, const RequestFacts& facts) const {
  for (const Edit& edit : edits_) {
    switch (edit.kind) {
      case Kind::kRemove: fields.remove(edit.name); break;
      case Kind::kRemovePrefix: fields.remove_with_prefix(edit.name); break;
      case Kind::kSet: fields.set(edit.name, edit.value.render(facts, fields.arena())); break;
      case Kind::kAdd: fields.add(edit.name, edit.value.render(facts, fields.arena())); break;
      case Kind::kSetIfAbsent:
        if (!fields.find(edit.name)) fields.add(edit.name, edit.value.render(facts, fields.arena()));
        break;
    }
  }
}

}   // namespace proxyd::routing
