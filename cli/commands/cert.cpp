#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>

#include "cli/commands/commands.h"

namespace proxyd::cli {
namespace {

constexpr const char* kCertificates = "/api/v1/certificates";
constexpr size_t kMostOctets = 256 * 1024;

struct Options {
  std::string name;
  std::string certificate;
  std::string private_key;
};

std::string path_of(const Options& options) { return fmt::format("{}/{}", kCertificates, encoded(options.name)); }

Session::HintFor hint_for_name(const Session& session, const Options& options) {
  return [&session, &options](const Reply& reply) {
    return reply.status == 404 ? meant(session, kCertificates, "name", options.name, "proxyctl cert list")
                               : std::string();
  };
}

std::string joined(const Json& json, const char* key) {
  const auto words = json.value(key, std::vector<std::string>());
  return words.empty() ? "-" : fmt::format("{}", fmt::join(words, " "));
}

Exit list(const Session& session) {
  const Session::Outcome outcome = session.get(kCertificates);
  std::vector<Table::Column> columns = {{"NAME"}, {"SOURCE"}, {"EXPIRES"}, {"HOSTS"}, {"NAMES"}};
  if (session.wide()) columns.insert(columns.end(), {{"KEY"}, {"ISSUER"}, {"OCSP"}, {"LISTENERS"}});
  Table rows(std::move(columns));
  for (const Json& one : outcome.items()) {
    const Json used = one.value("used_by", Json::object());
    std::vector<std::string> cells = {text_of(one, "name"), text_of(one, "source"), text_of(one, "not_after"),
                                      joined(used, "hosts"), joined(one, "names")};
    if (session.wide())
      cells.insert(cells.end(),
                   {text_of(one, "key_type"), text_of(one, "issuer"), text_of(one, "ocsp"), joined(used, "listeners")});
    rows.add(std::move(cells));
  }
  return session.show(outcome, rows,
                      "there are no certificates: proxyctl cert add NAME --certificate FILE --private-key FILE");
}

std::string described(const Json& one) {
  const Json used = one.value("used_by", Json::object());
  std::string text;
  const auto line = [&text](const char* label, const std::string& value) {
    if (value != "-") text += fmt::format("{:<13}{}\n", label, value);
  };
  line("name", text_of(one, "name"));
  line("source", text_of(one, "source"));
  line("files", text_of(one, "certificate_file"));
  line("", text_of(one, "private_key_file"));
  line("names", joined(one, "names"));
  line("issuer", text_of(one, "issuer"));
  line("not before", text_of(one, "not_before"));
  line("not after", text_of(one, "not_after"));
  line("key", text_of(one, "key_type"));
  line("sha256", text_of(one, "fingerprint_sha256"));
  line("ocsp", text_of(one, "ocsp"));
  line("", text_of(one, "ocsp_fault"));
  line("listeners", joined(used, "listeners"));
  line("hosts", joined(used, "hosts"));
  line("fault", text_of(one, "fault"));
  return text;
}

Exit show(const Session& session, const Options& options) {
  const Session::Outcome outcome = session.get(path_of(options), hint_for_name(session, options));
  return session.show(outcome, outcome.ok() ? described(outcome.json) : "", {options.name});
}

// Read as the caller, who may read what the server may not.
std::string content_of(const char* option, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content(kMostOctets + 1, '\0');
  if (in) in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.gcount() == 0 && (!in || in.bad()))
    throw CLI::ValidationError(option, file + " cannot be read: " + (errno ? std::strerror(errno) : "it is empty"));
  if (static_cast<size_t>(in.gcount()) > kMostOctets)
    throw CLI::ValidationError(option, file + " is larger than 256 KiB");
  content.resize(static_cast<size_t>(in.gcount()));
  return content;
}

// PEM is ASCII; what text stands around it need not be, and is of no use to the server.
std::string ascii_of(std::string text) {
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) > 0x7E; });
  return text;
}

Exit add(const Session& session, const Options& options) {
  const Json body{{"certificate", ascii_of(content_of("--certificate", options.certificate))},
                  {"private_key", ascii_of(content_of("--private-key", options.private_key))}};
  const Session::Outcome outcome =
      session.change({.method = "PUT", .path = path_of(options), .body = body.dump()}, [](const Reply& reply) {
        return std::string(reply.status == 422 ? "openssl x509 -in FILE -noout -text shows what is in a file" : "");
      });
  const Json certificate = outcome.ok() ? outcome.json.value("certificate", Json::object()) : Json::object();
  return session.show(outcome,
                      fmt::format("certificate {} serves, until {}\n", options.name, text_of(certificate, "not_after")),
                      {options.name});
}

Exit remove(const Session& session, const Options& options) {
  if (const Exit exit = session.confirmed("remove certificate " + options.name); exit != Exit::kOk) return exit;
  return session.show(session.change({.method = "DELETE", .path = path_of(options)}, hint_for_name(session, options)),
                      fmt::format("certificate {} is removed\n", options.name), {options.name});
}

Exit reload(const Session& session, const Options& options) {
  const Session::Outcome outcome =
      session.call({.method = "POST", .path = path_of(options) + ":reload"}, hint_for_name(session, options));
  const bool changed = outcome.ok() && outcome.json.value("changed", false);
  return session.show(outcome,
                      fmt::format("certificate {} {}\n", options.name, changed ? "was read again" : "is as it was"),
                      {options.name});
}

}   // namespace

void add_cert(CLI::App& app, Session& session, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* noun = app.add_subcommand("cert", "Certificates")->require_subcommand(1);
  noun->add_subcommand("list", "All of them, and when they expire")->callback([&session, &exit] {
    exit = list(session);
  });
  const auto verb = [&](const char* name, const char* text) {
    CLI::App* command = noun->add_subcommand(name, text);
    command->add_option("name", options->name, "The certificate")->required()->type_name("CERTIFICATE");
    return command;
  };
  verb("show", "One, with who uses it")->callback([&session, &exit, options] { exit = show(session, *options); });
  CLI::App* command = verb("add", "Upload one, or another in its place; it serves when this returns");
  command->add_option("--certificate", options->certificate, "PEM: the leaf, then what signed it")
      ->required()
      ->type_name("FILE");
  command->add_option("--private-key", options->private_key, "PEM, without a passphrase")
      ->required()
      ->type_name("FILE");
  command->callback([&session, &exit, options] { exit = add(session, *options); });
  command = verb("remove", "Remove one that nobody uses");
  command->add_flag("--yes", session.yes, "Do not ask");
  command->callback([&session, &exit, options] { exit = remove(session, *options); });
  verb("reload", "Read its files again now")->callback([&session, &exit, options] {
    exit = reload(session, *options);
  });
}

}   // namespace proxyd::cli
