#include "worker/proxy/grpc_answer.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

using http::FieldName;

class GrpcAnswers : public testing::Test {
 protected:
  http::Fields asking(std::string_view type) {
    http::Fields fields(arena_);
    if (!type.empty()) fields.add(FieldName::kContentType, type);
    return fields;
  }
  std::string text(const http::Fields& fields, std::string_view name) {
    const http::Field* field = fields.find(name);
    return field ? std::string(field->value) : "none";
  }
  std::string status_for(int status) {
    return text(make_grpc_answer(status, ProxyError::kNone, "", asking("application/grpc"), arena_), "grpc-status");
  }

  http::Arena arena_;
};

TEST_F(GrpcAnswers, AreForCallsOfGrpcAlone) {
  const auto is_call = [this](std::string_view type, http::Version version = http::Version::kHttp2,
                              http::Method method = http::Method::kPost) {
    http::RequestHead head(arena_);
    head.version = version;
    head.method = method;
    head.fields = asking(type);
    return is_grpc(head);
  };
  EXPECT_TRUE(is_call("application/grpc"));
  EXPECT_TRUE(is_call("Application/gRPC+proto"));
  EXPECT_TRUE(is_call("application/grpc;charset=utf-8"));
  for (const std::string_view type :
       {"application/grpc-web", "application/grpcs", "application/json", "application/grp", ""})
    EXPECT_FALSE(is_call(type)) << type;
  EXPECT_FALSE(is_call("application/grpc", http::Version::kHttp11)) << "an HTTP/1 client would take it for a success";
  EXPECT_FALSE(is_call("application/grpc", http::Version::kHttp2, http::Method::kGet));
}

TEST_F(GrpcAnswers, CallATargetThatCantBeReachedUnavailable) {
  const http::Fields fields =
      make_grpc_answer(504, ProxyError::kConnectionTimeout, "", asking("application/grpc"), arena_);
  EXPECT_EQ(text(fields, "grpc-status"), "14");
}

TEST_F(GrpcAnswers, HaveTheStatusThatClientsKnow) {
  EXPECT_EQ(status_for(400), "13");
  EXPECT_EQ(status_for(401), "16");
  EXPECT_EQ(status_for(403), "7");
  EXPECT_EQ(status_for(404), "12");
  EXPECT_EQ(status_for(429), "8");
  EXPECT_EQ(status_for(502), "14");
  EXPECT_EQ(status_for(503), "14");
  EXPECT_EQ(status_for(504), "4");
  EXPECT_EQ(status_for(413), "2");
  EXPECT_EQ(status_for(500), "2");
}

TEST_F(GrpcAnswers, SayWhyInAMessageThatAnyFieldCanHold) {
  const http::Fields fields =
      make_grpc_answer(502, ProxyError::kProtocolError, "50 % \xC3\xBC", asking("application/grpc+proto"), arena_);
  EXPECT_EQ(text(fields, "grpc-message"), "http_protocol_error: 50 %25 %C3%BC");
  EXPECT_EQ(text(fields, "content-type"), "application/grpc+proto");
  EXPECT_EQ(text(fields, "proxy-status").substr(0, 33), "proxyd; error=http_protocol_error");
}

}   // namespace
}   // namespace proxyd::proxy
