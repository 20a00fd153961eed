#include "master/admin/request_question.h"

#include <fmt/format.h>

namespace proxyd::admin {
namespace {

constexpr size_t kMostQuestion = 64 * 1024;   // it travels as a message

}   // namespace

void check_request(BodyFields& fields) {
  if (!fields.text("url", 8192)) fields.fault("url", "missing", "url is a text, as \"http://www.example.com/path\"");
  for (const char* name : {"method", "client", "listener"}) (void)fields.text(name, 256);
  const Json* headers = fields.any("headers");
  if (headers && !headers->is_object()) fields.fault("headers", "type", "headers is an object of texts");
  const Json none = Json::object();
  const Json& given = headers && headers->is_object() ? *headers : none;
  for (const auto& [name, value] : given.items()) {
    if (!value.is_string()) fields.fault("headers", "type", fmt::format("the header {} is a text", name));
  }
}

RequestQuestion question_of(const Json& body, const char* name) {
  RequestQuestion asked{nlohmann::json::parse(body.dump()), std::nullopt};
  asked.question["question"] = name;
  if (asked.question.dump().size() > kMostQuestion)
    asked.refusal = invalid("", "range", fmt::format("a request to ask about has at most {} octets", kMostQuestion));
  return asked;
}

}   // namespace proxyd::admin
