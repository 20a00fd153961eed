#include "worker/http/date.h"

#include <algorithm>
#include <initializer_list>

#include "shared/base/bytes.h"

namespace proxyd::http {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr int64_t kSecondsOfDay = 86'400;

struct Calendar {
  int64_t year = 1970;
  int month = 1;
  int day = 1;
};

// Days since 1970 in the Gregorian calendar. Years are counted from March, so that the leap day is their last.
int64_t days_since_1970(const Calendar& date) {
  const int64_t year = date.month > 2 ? date.year : date.year - 1;
  const int64_t month = (date.month + 9) % 12;
  const int64_t leap_days = year / 4 - year / 100 + year / 400;   // since year 0: none is before it
  return year * 365 + leap_days + (month * 153 + 2) / 5 + date.day - 1 - 719'468;
}

Calendar calendar_of(int64_t days_from_1970) {
  const int64_t days = days_from_1970 + 719'468;   // since the first of March of year 0
  const int64_t era = days / 146'097;
  const int64_t day_of_era = days % 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (day_of_year * 5 + 2) / 153;
  Calendar date;
  date.day = static_cast<int>(day_of_year - (month * 153 + 2) / 5 + 1);
  date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  date.year = era * 400 + year_of_era + (date.month <= 2 ? 1 : 0);
  return date;
}

int days_of(int month, int64_t year) {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Reads from the front of a text; once something is not as it must be, nothing is.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && rest_.empty(); }

  void literal(std::string_view text) {
    ok_ = ok_ && equals_ignoring_case(rest_.substr(0, text.size()), text);
    advance(text.size());
  }

  int64_t number(size_t digits) {
    if (rest_.size() < digits) ok_ = false;
    int64_t value = 0;
    for (size_t i = 0; ok_ && i < digits; ++i) {
      ok_ = is_digit(rest_[i]);
      value = value * 10 + (rest_[i] - '0');
    }
    advance(digits);
    return ok_ ? value : 0;
  }

  // asctime's day of the month: a space stands for its first digit when that is zero.
  int64_t padded_day() {
    if (ok_ && !rest_.empty() && rest_.front() == ' ') {
      advance(1);
      return number(1);
    }
    return number(2);
  }

  // The day's name, in full or by its first three letters.
  void day_name(bool full) {
    for (const std::string_view day : kDays) {
      const std::string_view name = full ? day : day.substr(0, 3);
      if (!ok_ || !equals_ignoring_case(rest_.substr(0, name.size()), name)) continue;
      advance(name.size());
      return;
    }
    ok_ = false;
  }

  int month() {
    for (size_t i = 0; ok_ && i < kMonths.size(); ++i) {
      if (!equals_ignoring_case(rest_.substr(0, 3), kMonths[i])) continue;
      advance(3);
      return static_cast<int>(i) + 1;
    }
    ok_ = false;
    return 1;
  }

  int64_t time_of_day() {
    const int64_t hour = number(2);
    literal(":");
    const int64_t minute = number(2);
    literal(":");
    const int64_t second = number(2);
    ok_ = ok_ && hour < 24 && minute < 60 && second <= 60;   // 60: a leap second
    return hour * 3600 + minute * 60 + second;
  }

 private:
  void advance(size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

  std::string_view rest_;
  bool ok_ = true;
};

std::optional<int64_t> seconds_of(const Reader& reader, const Calendar& date, int64_t time) {
  if (!reader.at_end() || date.year < 1 || date.day < 1 || date.day > days_of(date.month, date.year))
    return std::nullopt;
  return days_since_1970(date) * kSecondsOfDay + time;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<int64_t> parse_imf_fixdate(std::string_view text) {
  Reader reader(text);
  Calendar date;
  reader.day_name(false);
  reader.literal(", ");
  date.day = static_cast<int>(reader.number(2));
  reader.literal(" ");
  date.month = reader.month();
  reader.literal(" ");
  date.year = reader.number(4);
  reader.literal(" ");
  const int64_t time = reader.time_of_day();
  reader.literal(" GMT");
  return seconds_of(reader, date, time);
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<int64_t> parse_rfc850(std::string_view text, int64_t now) {
  Reader reader(text);
  Calendar date;
  reader.day_name(true);
  reader.literal(", ");
  date.day = static_cast<int>(reader.number(2));
  reader.literal("-");
  date.month = reader.month();
  reader.literal("-");
  const int64_t this_year = calendar_of(std::max<int64_t>(now, 0) / kSecondsOfDay).year;
  date.year = this_year - this_year % 100 + reader.number(2);
  if (date.year > this_year + 50)
    date.year -= 100;
  else if (date.year <= this_year - 50)
    date.year += 100;
  reader.literal(" ");
  const int64_t time = reader.time_of_day();
  reader.literal(" GMT");
  return seconds_of(reader, date, time);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<int64_t> parse_asctime(std::string_view text) {
  Reader reader(text);
  Calendar date;
  reader.day_name(false);
  reader.literal(" ");
  date.month = reader.month();
  reader.literal(" ");
  date.day = static_cast<int>(reader.padded_day());
  reader.literal(" ");
  const int64_t time = reader.time_of_day();
  reader.literal(" ");
  date.year = reader.number(4);
  return seconds_of(reader, date, time);
}

void put_number(char* to, int digits, int64_t value) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

}   // namespace

std::array<char, kDateLength> format_date(int64_t seconds) {
  constexpr int64_t kFirst = -62'135'596'800;   // of year 1
  constexpr int64_t kLast = 253'402'300'799;    // of year 9999
  const int64_t since_year_1 = std::clamp(seconds, kFirst, kLast) - kFirst;
  const int64_t days = since_year_1 / kSecondsOfDay + kFirst / kSecondsOfDay;
  const int64_t time = since_year_1 % kSecondsOfDay;
  const Calendar date = calendar_of(days);
  const auto day_of_week = static_cast<size_t>((since_year_1 / kSecondsOfDay + 1) % 7);   // year 1 began on a Monday
  std::array<char, kDateLength> text;
  std::copy_n("Sun, 06 Nov 1994 08:49:37 GMT", kDateLength, text.data());
  std::copy_n(kDays[day_of_week].data(), 3, text.data());
  put_number(text.data() + 5, 2, date.day);
  std::copy_n(kMonths[static_cast<size_t>(date.month - 1)].data(), 3, text.data() + 8);
  put_number(text.data() + 12, 4, date.year);
  put_number(text.data() + 17, 2, time / 3600);
  put_number(text.data() + 20, 2, time / 60 % 60);
  put_number(text.data() + 23, 2, time % 60);
  return text;
}

std::optional<int64_t> parse_date(std::string_view text, int64_t now) {
  if (text.size() < 24) return std::nullopt;
  if (text[3] == ',') return parse_imf_fixdate(text);
  if (text[3] == ' ') return parse_asctime(text);
  return parse_rfc850(text, now);
}

}   // namespace proxyd::http
