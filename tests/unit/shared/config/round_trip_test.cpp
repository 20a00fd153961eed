#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "shared/config/decode.h"
#include "shared/config/schema.h"
#include "tests/unit/shared/config/generated_document.h"

namespace proxyd::config {
namespace {

constexpr uint32_t kDocuments = 200;

std::string text_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += problem.pointer + ": " + problem.message + "\n";
  return text;
}

void expect_same(const Decoded& again, const Decoded& first, const std::string& text) {
  ASSERT_TRUE(again.valid()) << text_of(again.problems) << text;
  EXPECT_EQ(again.canonical, first.canonical) << text;
  EXPECT_EQ(again.document, first.document) << text;
  EXPECT_TRUE(diff(first.canonical, again.canonical).empty()) << text;
}

TEST(RoundTrip, AGeneratedDocumentComesBackFromItsYamlAndFromItsJson) {
  for (uint32_t seed = 1; seed <= kDocuments; ++seed) {
    SCOPED_TRACE(seed);
    const Json document = generated_document(seed);
    const Decoded first = decode(document);
    ASSERT_TRUE(first.valid()) << text_of(first.problems) << document.dump(1);
    const std::string yaml = to_yaml(first.canonical);
    expect_same(decode(yaml, Format::kYaml), first, yaml);
    expect_same(decode(first.canonical.dump(2), Format::kJson), first, first.canonical.dump(2));
    expect_same(decode(first.canonical), first, first.canonical.dump(2));
  }
}

TEST(RoundTrip, WritingOutEveryDefaultChangesNothingOfWhatADocumentMeans) {
  for (uint32_t seed = 1; seed <= kDocuments; ++seed) {
    SCOPED_TRACE(seed);
    const Decoded first = decode(generated_document(seed));
    const Json all = expanded(first.canonical);
    const Decoded again = decode(all);
    ASSERT_TRUE(again.valid()) << text_of(again.problems) << all.dump(1);
    EXPECT_EQ(again.document, first.document);
    EXPECT_EQ(again.canonical, first.canonical);
  }
}

// The keys of every object type that the generator has put into a document at least once.
void collect(const ObjectType& type, const Json& json, std::set<std::string>& seen) {
  for (const Key& key : type.keys) {
    const auto found = json.find(std::string(key.name));
    if (!key.type || found == json.end()) continue;
    seen.insert(std::string(type.name) + "." + std::string(key.name));
    if (key.type->object && found->is_object()) collect(*key.type->object, *found, seen);
    if (!key.type->item || !key.type->item->object || !found->is_structured()) continue;
    for (const auto& item : *found) collect(*key.type->item->object, item, seen);
  }
}

void expect_all(const ObjectType& type, const std::set<std::string>& seen) {
  for (const Key& key : type.keys) {
    if (!key.type) continue;
    EXPECT_TRUE(seen.contains(std::string(type.name) + "." + std::string(key.name))) << type.name << "." << key.name;
    if (key.type->object) expect_all(*key.type->object, seen);
    if (key.type->item && key.type->item->object) expect_all(*key.type->item->object, seen);
  }
}

TEST(RoundTrip, TheGeneratedDocumentsUseEveryKeyOfTheRegistry) {
  std::set<std::string> seen;
  for (uint32_t seed = 1; seed <= kDocuments; ++seed) collect(document_type(), generated_document(seed), seen);
  expect_all(document_type(), seen);
}

TEST(RoundTrip, TheExampleOfEverythingUsesEveryKeyOfTheRegistry) {
  std::ifstream file(std::string(PROXYD_SOURCE_DIR) + "/etc/examples/everything.yaml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Decoded decoded = decode(text, Format::kYaml);
  ASSERT_TRUE(decoded.valid()) << text_of(decoded.problems);
  EXPECT_TRUE(decoded.warnings.empty()) << text_of(decoded.warnings);
  const auto mention = [&text](const ObjectType& type, const auto& self) -> void {
    for (const Key& key : type.keys) {
      if (!key.type) continue;
      EXPECT_NE(text.find(std::string(key.name) + ":"), std::string::npos) << type.name << "." << key.name;
      if (key.type->object) self(*key.type->object, self);
      if (key.type->item && key.type->item->object) self(*key.type->item->object, self);
    }
  };
  mention(document_type(), mention);
}

TEST(RoundTrip, TextsThatYamlCouldReadAsSomethingElseStayTexts) {
  for (const char* text :
       {"null", "~",   "true", "no", "0x1F", "1e3", ".5", "- a", "a: b", "# a", "a\nb", "\u2028", "\ufeff",
        "😀",   " a ", "'",    "\"", "*a",   "&a",  "!a", "%a",  "@",    "",    "\x7F", "\x01",   "\r\n"}) {
    const Json document{
        {"version", 1},
        {"hosts",
         {{"h", {{"names", {"a"}}, {"routes", Json::array({Json{{"name", "r"}, {"respond", {{"body", text}}}}})}}}}}};
    const Decoded first = decode(document);
    ASSERT_TRUE(first.valid()) << text_of(first.problems);
    const Decoded again = decode(to_yaml(first.canonical), Format::kYaml);
    ASSERT_TRUE(again.valid()) << text_of(again.problems) << to_yaml(first.canonical);
    EXPECT_EQ(again.document.hosts.at("h").routes[0].respond->body, text);
  }
}

}   // namespace
}   // namespace proxyd::config
