# Included, not add_subdirectory'd: protobuf_generate of CMake 3.25 names its outputs relative to
# the current source directory, and that must be the root for #include "proto/ddl/v1/x.pb.h".
#
# ddl_proto holds messages alone, so that ddl-rank links no gRPC; ddl_rpc adds the services.
file(GLOB ddl_proto_files CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} proto/ddl/v1/*.proto)
set(ddl_service_files
  proto/ddl/v1/experiments.proto
  proto/ddl/v1/metrics.proto
  proto/ddl/v1/workers.proto)

add_library(ddl_proto STATIC ${ddl_proto_files})
target_link_libraries(ddl_proto PUBLIC protobuf::libprotobuf)
target_include_directories(ddl_proto SYSTEM PUBLIC ${PROJECT_BINARY_DIR})
protobuf_generate(TARGET ddl_proto LANGUAGE cpp PROTOC_OUT_DIR ${PROJECT_BINARY_DIR})

# Generated files repeat each other's static names, so that preset `quick` cannot join them.
set_target_properties(ddl_proto PROPERTIES UNITY_BUILD OFF)

add_library(ddl_rpc STATIC ${ddl_service_files})
target_link_libraries(ddl_rpc PUBLIC ddl_proto gRPC::grpc++)
protobuf_generate(TARGET ddl_rpc LANGUAGE grpc PROTOC_OUT_DIR ${PROJECT_BINARY_DIR}
  GENERATE_EXTENSIONS .grpc.pb.h .grpc.pb.cc
  PLUGIN "protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
set_target_properties(ddl_rpc PROPERTIES UNITY_BUILD OFF)
