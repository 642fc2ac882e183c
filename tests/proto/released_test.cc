// The protocol against the committed descriptor set of what was released.
#include <google/protobuf/descriptor.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "proto/ddl/v1/events.pb.h"
#include "proto/ddl/v1/experiments.pb.h"
#include "proto/ddl/v1/metrics.pb.h"
#include "tests/places.h"
#include "tests/proto/compatibility.h"

namespace ddl {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorSet;

FileDescriptorSet Released() {
  std::ifstream file(SourcePath("proto/ddl/v1/released.binpb"), std::ios::binary);
  FileDescriptorSet files;
  REQUIRE(files.ParseFromIstream(&file));
  REQUIRE(files.file_size() > 5);
  return files;
}

// The files of the released set, as they are compiled into this program.
FileDescriptorSet Present() {
  const FileDescriptorSet all = Released();
  FileDescriptorSet files;
  for (const auto& released : all.file()) {
    const FileDescriptor* file =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(released.name());
    INFO(released.name() << " is not linked: it is gone, or name a message of it in this test");
    REQUIRE(file != nullptr);
    file->CopyTo(files.add_file());
  }
  return files;
}

google::protobuf::DescriptorProto* Message(FileDescriptorSet* files, const std::string& name) {
  for (auto& file : *files->mutable_file()) {
    for (auto& type : *file.mutable_message_type()) {
      if (type.name() == name) return &type;
    }
  }
  FAIL("no message " << name);
  return nullptr;
}

TEST_CASE("every released field keeps its number, name and type") {
  const auto broken = BrokenPromises(Released(), Present());
  INFO(absl::StrJoin(broken, "\n"));
  CHECK(broken.empty());
}

TEST_CASE("every field is in the released descriptor set") {
  const auto added = Additions(Released(), Present());
  INFO("not released yet:\n"
       << absl::StrJoin(added, "\n")
       << "\nto release: protoc -I. --include_imports"
          " --descriptor_set_out=proto/ddl/v1/released.binpb proto/ddl/v1/*.proto");
  CHECK(added.empty());
}

TEST_CASE("a changed field number is noticed, and so is a reused one") {
  FileDescriptorSet changed = Released();
  auto* run = Message(&changed, "Run");
  REQUIRE(run->field(2).number() == 3);
  run->mutable_field(2)->set_number(300);
  CHECK(BrokenPromises(Released(), changed) ==
        std::vector<std::string>{"ddl.v1.Run field 3 (state TYPE_STRING  LABEL_OPTIONAL) is gone"});

  FileDescriptorSet reused = Released();
  Message(&reused, "Run")->mutable_field(2)->set_name("shape");
  CHECK(BrokenPromises(Released(), reused).size() == 1);

  FileDescriptorSet retyped = Released();
  Message(&retyped, "Run")
      ->mutable_field(2)
      ->set_type(google::protobuf::FieldDescriptorProto::TYPE_BYTES);
  CHECK(BrokenPromises(Released(), retyped).size() == 1);
}

TEST_CASE("a new field breaks nothing and is named as not released") {
  FileDescriptorSet more = Released();
  auto* field = Message(&more, "Run")->add_field();
  field->set_name("mood");
  field->set_number(1000);
  CHECK(BrokenPromises(Released(), more).empty());
  CHECK(Additions(Released(), more).size() == 1);
}

}  // namespace
}  // namespace ddl
