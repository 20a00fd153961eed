#include "shared/config/yaml_size.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

#include "shared/config/node.h"

namespace proxyd::config {
namespace {

// yaml-cpp has no other way to stop its parser than an exception out of a handler.
class ValueCounter : public YAML::EventHandler {
 public:
  bool over() const { return values_ > kMaxNodes; }
  const YAML::Mark& mark() const { return mark_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    count(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    count(mark);
  }
  void OnMapEnd() override {}

 private:
  void count(const YAML::Mark& mark) {
    mark_ = mark;
    if (++values_ > kMaxNodes) throw YAML::ParserException(mark, "too many values");
  }

  size_t values_ = 0;
  YAML::Mark mark_;
};

}   // namespace

std::optional<Problem> too_many_yaml_values(const std::string& text) {
  std::istringstream stream(text);
  ValueCounter counter;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(counter)) {
    }
  } catch (const YAML::Exception&) {
    if (!counter.over()) return std::nullopt;
  }
  if (!counter.over()) return std::nullopt;
  const YAML::Mark& mark = counter.mark();
  return Problem{"", mark.line + 1, mark.column + 1, "nodes", fmt::format("more than {} values", kMaxNodes), ""};
}

}   // namespace proxyd::config
