// Prints the documents of the unit tests as JSON, for scenarios that put them to the real program.
#include <fmt/format.h>

#include <cstring>

#include "tests/unit/shared/config/generated_document.h"
#include "tests/unit/shared/config/invalid_documents.h"

namespace {

using namespace proxyd::config;

// Some texts are no UTF-8.
std::string hexadecimal(const std::string& text) {
  std::string digits;
  for (const char c : text) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return digits;
}

Json valid_documents() {
  Json all = Json::array();
  for (uint32_t seed = 1; seed <= 200; ++seed) all.push_back(generated_document(seed));
  return all;
}

Json invalid_documents() {
  Json all = Json::array();
  for (const auto& list : {wrong_by_syntax(), wrong_by_shape(), wrong_by_text(), wrong_by_rule()}) {
    for (const Wrong& wrong : list) {
      all.push_back({{"what", wrong.what},
                     {"text", hexadecimal(wrong.text)},
                     {"code", wrong.code},
                     {"pointer", wrong.pointer ? Json(wrong.pointer) : Json(nullptr)},
                     {"suggestion", wrong.suggestion},
                     {"line", wrong.line},
                     {"column", wrong.column}});
    }
  }
  return all;
}

}   // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  fmt::print("{}\n", (std::strcmp(argv[1], "valid") == 0 ? valid_documents() : invalid_documents()).dump());
  return 0;
}
