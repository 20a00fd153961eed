#include <gtest/gtest.h>

#include "cli/output/table.h"
#include "cli/output/text.h"

namespace proxyd::cli {
namespace {

TEST(Printable, LeavesNoControlCharacterToTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2J\tb\x7f"), "a\\x1b[2J\\x09b\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "\\x9b2J");   // CSI as one code point
  EXPECT_EQ(printable("ä→"), "ä→");
  EXPECT_EQ(printable("a\nb"), "a\\x0ab");
  EXPECT_EQ(printable("a\nb", true), "a\nb");
}

TEST(Shortened, CountsColumnsNotOctets) {
  EXPECT_EQ(shortened("änderung", 8), "änderung");
  EXPECT_EQ(shortened("änderung", 4), "änd…");
  EXPECT_EQ(display_width("änd…"), 4u);
}

TEST(ShellWord, IsQuotedOnlyWhenItMustBe) {
  EXPECT_EQ(shell_word("unix:/run/proxyd/admin.sock"), "unix:/run/proxyd/admin.sock");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("two words"), "'two words'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
}

TEST(Table, AlignsColumnsAndNumbersToTheRight) {
  Table rows({{"NAME"}, {"COUNT", true}, {"STATE", false, true}});
  rows.add({"ä", "5", "up"});
  rows.add({"long", "12345678", "down"});
  EXPECT_EQ(rows.text(false, 0),
            "NAME     COUNT  STATE\n"
            "ä            5  up\n"
            "long  12345678  down\n");
}

TEST(Table, ShortensTheWidestColumnToTheTerminal) {
  Table rows({{"NAME"}, {"ADDRESS"}});
  rows.add({"a", "unix:/run/somewhere/far/away.sock"});
  EXPECT_EQ(rows.text(false, 20), "NAME  ADDRESS\na     unix:/run/som…\n");
}

TEST(Table, ColoursHeadingsAndStates) {
  Table rows({{"STATE", false, true}});
  rows.add({"up (starting 40 %)"});
  rows.add({"draining"});
  rows.add({"down"});
  rows.add({"-"});
  EXPECT_EQ(
      rows.text(true, 0),
      "\x1b[1mSTATE\x1b[0m\n\x1b[32mup (starting 40 %)\x1b[0m\n\x1b[33mdraining\x1b[0m\n\x1b[31mdown\x1b[0m\n-\n");
}

}   // namespace
}   // namespace proxyd::cli
