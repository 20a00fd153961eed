#include "shared/config/registry_types.h"

namespace proxyd::config::registry {
namespace {

const ObjectType kCertificate{"certificate",
                              {
                                  {"certificate_file", &kFilePath, "", "PEM: the leaf, then what signed it"},
                                  {"private_key_file", &kFilePath, "", "PEM, without a passphrase"},
                                  {"uploaded", &kBoolean, "false", "it is in the store, put by proxyctl cert add"},
                              }};
const ValueType kCertificateValue = object_of(kCertificate);

const ValueType kClientAuthMode{.kind = Kind::kWord, .words = {"require", "request"}};
const ObjectType kClientAuth{
    "client_auth",
    {
        {"ca_file", &kFilePath, "", "PEM: who signs the certificates of clients", kRequired},
        {"mode", &kClientAuthMode, "\"require\"", "require one, or request one and take clients without"},
    }};
const ValueType kListenerClientAuth = object_of(kClientAuth);

const ValueType kName = text(Format::kName);
const ValueType kNames = list_of(kName);
const ValueType kUnknownSni{.kind = Kind::kWord, .words = {"refuse", "default"}};
const ValueType kMinVersion{.kind = Kind::kWord, .words = {"1.2", "1.3"}};
const ValueType kCiphers = text(Format::kNotEmpty);
const ValueType kServerName = text(Format::kNotEmpty);
const ObjectType kListenerTls{
    "tls",
    {
        {"certificates", &kNames, "[]", "those served here: all, unless named"},
        {"default_certificate", &kName, "", "for clients that name no server, or with unknown_sni: default any"},
        {"unknown_sni", &kUnknownSni, "\"refuse\"", "a name that no certificate is for: refuse, or default"},
        {"min_version", &kMinVersion, "\"1.2\"", "\"1.2\" or \"1.3\""},
        {"ciphers", &kCiphers, "", "of TLS 1.2, as OpenSSL writes them"},
        {"session_tickets", &kBoolean, "true", "clients may resume a session"},
        {"client_auth", &kListenerClientAuth, "", "clients show a certificate"},
    }};

const ObjectType kUpstreamTls{
    "tls",
    {
        {"sni", &kServerName, "", "asked for and verified: host or the target's name, unless given"},
        {"verify", &kBoolean, "true", "its certificate"},
        {"ca_file", &kFilePath, "", "PEM: who signs it; the system's, unless given"},
        {"certificate_file", &kFilePath, "", "PEM: what we show, leaf first"},
        {"private_key_file", &kFilePath, "", "PEM, without a passphrase"},
    }};

const ValueType kRedirectStatus{.kind = Kind::kInteger, .least = 301, .most = 308};
const ValueType kHsts{.kind = Kind::kDuration, .may_be_off = true, .least = 1000};
const ObjectType kForceHttps{"force_https",
                             {
                                 {"status", &kRedirectStatus, "308", "301, 302, 303, 307 or 308"},
                                 {"hsts", &kHsts, "\"off\"", "how long clients are to come by https alone (RFC 6797)"},
                             }};

const ValueType kProtocol{.kind = Kind::kWord, .words = {"h1", "h2", "h2c"}};

}   // namespace

const ValueType kCertificates = map_of(kCertificateValue);
const ValueType kListenerTlsValue = object_of(kListenerTls);
const ValueType kUpstreamTlsValue = object_of(kUpstreamTls);
const ValueType kClientAuthValue = object_of(kClientAuth);
const ValueType kForceHttpsValue = object_of(kForceHttps);
const ValueType kProtocols{.kind = Kind::kList, .item = &kProtocol, .least_items = 1, .most_items = 3};

}   // namespace proxyd::config::registry
