#pragma once

#include <map>
#include <string>

#include "shared/base/result.h"
#include "shared/config/model.h"

namespace proxyd::master {

struct ValueFileError {
  std::string message;
  std::string pointer;   // of what names the file
};

// The contents of the files that header values, purge tokens, auth and client_auth name, read at apply and on reload:
// workers open nothing. One line of at most 16 KiB each, its line end taken off; a token is not empty; authorities are
// PEM of at most 4 MiB; a file of users has as much, each of its lines good, one of keys
// 256 KiB; an error page as much, of UTF-8. Fails naming the file and who names it,
// never its content.
Result<std::map<std::string, std::string>, ValueFileError> read_value_files(const config::Document& document);

}   // namespace proxyd::master
