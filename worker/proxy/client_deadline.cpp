#include "worker/proxy/client_deadline.h"

#include <algorithm>
#include <charconv>

#include "worker/proxy/grpc_answer.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kMostDigits = 8;   // of grpc-timeout
constexpr auto kLongest = std::chrono::hours(24 * 366);

struct Unit {
  std::string_view name;
  nanoseconds length;
};
constexpr Unit kGrpcUnits[] = {{"H", std::chrono::hours(1)},        {"M", std::chrono::minutes(1)},
                               {"S", std::chrono::seconds(1)},      {"m", std::chrono::milliseconds(1)},
                               {"u", std::chrono::microseconds(1)}, {"n", nanoseconds(1)}};
constexpr Unit kUnits[] = {{"ms", std::chrono::milliseconds(1)},
                           {"s", std::chrono::seconds(1)},
                           {"m", std::chrono::minutes(1)},
                           {"h", std::chrono::hours(1)},
                           {"", std::chrono::seconds(1)}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits with a fraction or without, as thousandths; nothing for what is no number or a larger one than matters.
std::optional<int64_t> thousandths_in(std::string_view text) {
  const size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point < text.size() ? text.substr(point + 1) : "0";
  if (whole.empty() || whole.size() > 12 || fraction.empty() || fraction.size() > 9) return std::nullopt;
  int64_t value = 0;
  for (const char c : whole) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  for (size_t i = 0; i < std::max<size_t>(3, fraction.size()); ++i) {
    const char c = i < fraction.size() ? fraction[i] : '0';
    if (!is_digit(c)) return std::nullopt;
    if (i < 3) value = value * 10 + (c - '0');
  }
  return value;
}

}   // namespace

std::optional<nanoseconds> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::nullopt;
  const std::string_view digits = text.substr(0, text.size() - 1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !is_digit(digits[0])) return std::nullopt;
  for (const Unit& unit : kGrpcUnits) {
    if (text.substr(text.size() - 1) == unit.name)
      return value > kLongest / unit.length ? nanoseconds(kLongest) : value * unit.length;
  }
  return std::nullopt;
}

std::optional<nanoseconds> parse_deadline(std::string_view text) {
  const auto number_end = std::find_if(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '.'; });
  const auto size = static_cast<size_t>(number_end - text.begin());
  const auto value = thousandths_in(text.substr(0, size));
  if (!value) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (text.substr(size) == unit.name)
      return *value > kLongest / (unit.length / 1000) ? nanoseconds(kLongest) : *value * (unit.length / 1000);
  }
  return std::nullopt;
}

bool take_client_deadline(Request& request) {
  const std::optional<std::string>& header = request.timeouts().deadline_header;
  const bool grpc = is_grpc(request.head);
  if (!header && !grpc) return true;
  const http::Field* said = header ? request.head.fields.find(*header) : nullptr;
  const http::Field* grpc_said = grpc ? request.head.fields.find("grpc-timeout") : nullptr;
  for (const auto& [field, parse] : {std::pair(said, &parse_deadline), std::pair(grpc_said, &parse_grpc_timeout)}) {
    if (!field) continue;
    const auto limit = parse(field->value);
    if (!limit) return false;
    request.total = request.total.earlier_of(Deadline::at(request.began + *limit));
  }
  return true;
}

}   // namespace proxyd::proxy
