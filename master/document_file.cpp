#include "master/document_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace proxyd::master {

std::string describe(const std::string& file, const config::Problem& problem) {
  const std::string place = problem.line > 0 ? fmt::format("{}:{}:{}", file, problem.line, problem.column) : file;
  return fmt::format("{}: {}: {}{}{}", place, problem.pointer.empty() ? "/" : problem.pointer, problem.message,
                     problem.suggestion.empty() ? "" : "; ", problem.suggestion);
}

Result<DocumentFile, DocumentError> read_document_file(const std::string& path) {
  std::ifstream file(path);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored))
    return DocumentError{
        fmt::format("{} cannot be read: {}", path, errno == 0 ? "it is a folder" : std::strerror(errno)), {}};
  DocumentFile read;
  read.text.assign(std::istreambuf_iterator<char>(file), {});
  read.decoded = config::decode(read.text, config::guess_format(read.text));
  if (read.decoded.valid()) return read;
  DocumentError error{"", read.decoded.problems};
  for (const config::Problem& problem : error.problems)
    error.message += (error.message.empty() ? "" : "\n") + describe(path, problem);
  return error;
}

}   // namespace proxyd::master
