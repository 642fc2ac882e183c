"""Every source has its test at the mirrored path, and everything is built."""

import os

from tree import Finding

# Sources without a test of their own: each with the test that covers it. A stale line is an error.
EXEMPT = {
    "common/rpc_client.cc": "tests/coordinator/service/server_test.cc speaks through it",
    "common/rpc_server.cc": "tests/coordinator/service/server_test.cc holds every method to it",
    "common/version.cc": "two constants; tests/coordinator/main_test.cc and tests/cli print them",
    "coordinator/service/write_patience.cc": "read_logs_test.cc beside it is cut off by it",
    "coordinator/service/transition_log.cc": "tests/e2e/logs_test.py reads its lines",
    "coordinator/service/run_reader.cc": "experiments_service_test.cc beside it reads its pages",
    "coordinator/service/series_reader.cc": "metrics_service_test.cc beside it reads through it",
    "worker/comm/collective.cc": "one branch; worker/comm/process_group_test.cc takes both sides",
    "worker/comm/listen.cc": "worker/comm/process_group_test.cc listens and finds a port taken",
    "worker/model/compressor.cc": "one switch; worker/model/model_properties_test.cc takes each side",
    "worker/model/layout.cc": "every golden file holds the names to the authors'",
    "worker/model/model_shapes.cc": "worker/model/residual_registry_test.cc counts every form",
    "worker/model/residual_hyper_connections.cc": "worker/model/residual_registry_test.cc",
    "worker/model/residual_seed_deepdeltares.cc": "tests/golden/seed_deepdeltares.safetensors",
    "worker/model/residual_seed_write_only.cc": "tests/golden/own/seed_deepdeltares_wo.safetensors",
    "worker/model/seed_module.cc": "tests/golden/seed_deepdeltares.safetensors",
    "worker/train/golden/golden_file.cc": "worker/train/golden/golden_verb_test.cc: damages",
    "worker/train/golden/golden_muon.cc": "worker/train/golden/golden_verb_test.cc: Muon's file",
    "worker/train/golden/golden_run.cc": "worker/train/golden/golden_verb_test.cc: every group",
    "worker/model/residual_additive.cc": "worker/model/transformer_test.cc has its golden file",
    "worker/model/residual_ddl.cc": "worker/model/gated_residual_test.cc has its properties",
    "worker/model/residual_write_only.cc": "worker/model/gated_residual_test.cc has its property",
    "worker/train/checkpoint.cc": "worker/train/run_rank_test.cc has the matrix of damages",
    "worker/train/checkpoint_writer.cc": "worker/train/run_rank_test.cc: disk full, kills",
    "worker/train/environment.cc": "worker/train/run_rank_test.cc: equal bits, threads that differ",
    "worker/train/generate/generate_verb.cc": "tests/worker/train/generate/generate_test.cc",
    "worker/train/generate/model_description.cc": "tests/worker/train/generate/init_verb_test.cc",
    "worker/train/model_proto.cc": "tests/worker/train/launch_proto_test.cc",
    "worker/train/loop.cc": "worker/train/run_rank_test.cc: every end that a run can have",
    "worker/train/resume.cc": "worker/train/run_rank_test.cc: resume from damaged checkpoints",
    "worker/train/training_step.cc": "worker/train/run_rank_test.cc: one rank equals two",
    "common/rpc_status.cc": "one switch; every service test reads codes through it",
    "cli/change.cc": "tests/cli/verbs_test.cc",
    "cli/client_streams.cc": "tests/cli/logs_test.cc",
    "cli/context.cc": "tests/cli/contexts_test.cc",
    "cli/log_source.cc": "tests/cli/logs_test.cc",
    "cli/cluster.cc": "tests/cli/verbs_test.cc",
    "cli/comparison_text.cc": "tests/cli/compare_test.cc",
    "cli/config.cc": "tests/cli/compare_test.cc",
    "cli/describe.cc": "tests/cli/verbs_test.cc",
    "cli/doctor.cc": "tests/cli/verbs_test.cc",
    "cli/exit_code.cc": "tests/cli/dispatch_test.cc",
    "cli/fields.cc": "tests/cli/output_test.cc",
    "cli/fields_text.cc": "tests/cli/output_test.cc",
    "cli/follow.cc": "tests/cli/client_test.cc",
    "cli/help.cc": "tests/cli/dispatch_test.cc",
    "cli/interrupt.cc": "tests/cli/client_test.cc",
    "cli/live_screen.cc": "tests/cli/chart_test.cc",
    "cli/local_ranks.cc": "tests/cli/local_test.cc",
    "cli/ls.cc": "tests/cli/verbs_test.cc",
    "cli/metrics.cc": "tests/cli/compare_test.cc",
    "cli/output_text.cc": "tests/cli/output_test.cc",
    "cli/report.cc": "tests/cli/compare_test.cc",
    "cli/report_curves.cc": "tests/cli/compare_test.cc",
    "cli/run_folder.cc": "tests/cli/local_test.cc",
    "cli/run_source.cc": "tests/cli/compare_test.cc",
    "cli/run_text.cc": "tests/cli/output_test.cc",
    "cli/selection.cc": "tests/cli/verbs_test.cc",
    "cli/spec_explained.cc": "tests/cli/compare_test.cc",
    "cli/spec_source.cc": "tests/cli/verbs_test.cc",
    "cli/submit.cc": "tests/cli/verbs_test.cc",
    "cli/sweep.cc": "tests/cli/compare_test.cc",
    "cli/terminal_text.cc": "tests/cli/output_test.cc",
    "cli/validate.cc": "tests/cli/verbs_test.cc",
    "cli/verb.cc": "tests/cli/parse_test.cc",
    "cli/version.cc": "tests/cli/dispatch_test.cc",
    "cli/wait.cc": "tests/cli/client_test.cc",
    "cli/watch.cc": "tests/cli/client_test.cc",
    "kernels/activation.cu": "tests/gpu/parts_test.cc",
    "kernels/boundary_backward.cu": "tests/gpu/boundary_test.cc",
    "kernels/boundary_forward.cu": "tests/gpu/boundary_test.cc",
    "kernels/column_sums.cu": "tests/gpu/boundary_test.cc: every weight gradient",
    "kernels/cross_entropy.cu": "tests/gpu/parts_test.cc",
    "kernels/embedding.cu": "tests/gpu/parts_test.cc",
    "kernels/gate.cu": "tests/gpu/parts_test.cc",
    "kernels/optimizer.cu": "tests/gpu/parts_test.cc",
    "kernels/rotary.cu": "tests/gpu/parts_test.cc",
    "worker/agent/attempt.cc": "tests/worker/agent/agent_test.cc",
    "worker/agent/coordinator_link.cc": "tests/worker/agent/daemon_test.cc",
    "worker/agent/launch.cc": "tests/worker/agent/agent_test.cc",
    "worker/agent/linux_host.cc": "tests/worker/agent/daemon_test.cc",
    "worker/agent/run_totals.cc": "tests/worker/agent/run_series_test.cc",
    "worker/agent/worker_metrics.cc": "tests/worker/agent/daemon_test.cc",
}
# Tests of several sources together, at the folder that they are about.
SCENARIOS = {
    "tests/worker/train/synthetic_run_test.cc": "worker/train",
    "tests/worker/model/delta_composition_test.cc": "worker/model",
    "tests/worker/model/gradients_test.cc": "every form of a model, by differences",
    "tests/worker/model/step_flops_test.cc": "common/architecture.cc against real steps",
    "tests/worker/optim/step_memory_test.cc": "common/architecture.cc against real steps",
    "tests/worker/train/residual_runs_test.cc": "every residual through worker/train",
    "tests/worker/model/model_properties_test.cc": "what holds for every form of a model",
}
MAINS = ("main.cc",)


def mirrored(path):
    return "tests/" + path.rsplit(".", 1)[0] + "_test.cc"


def has_test(tree):
    """x/y.cc has tests/x/y_test.cc."""
    for path in tree.code():
        if path.startswith("tests/") or path.endswith(".h") or os.path.basename(path) in MAINS:
            continue
        if path not in EXEMPT and mirrored(path) not in tree.files:
            yield Finding(path, 1, f"has no {mirrored(path)}")


def exemptions(tree):
    """An exemption names a file that is there and has no test."""
    for path, reason in EXEMPT.items():
        if path not in tree.files:
            yield Finding("tests/tidy/coverage.py", 1, f"exempt file {path} is gone")
        elif mirrored(path) in tree.files:
            yield Finding("tests/tidy/coverage.py", 1, f"exempt file {path} has its test")
    for path in SCENARIOS:
        if path not in tree.files:
            yield Finding("tests/tidy/coverage.py", 1, f"scenario {path} is gone")


def has_source(tree):
    """A test at a mirrored path tests a file that is there."""
    for path in tree.code():
        if not path.endswith("_test.cc") or path in SCENARIOS:
            continue
        source = path[len("tests/"):-len("_test.cc")]
        if source.split("/")[0] not in ("common", "coordinator", "worker", "kernels", "cli"):
            continue
        if not any(source + suffix in tree.files for suffix in (".cc", ".h", ".cu")):
            yield Finding(path, 1, f"tests no file: {source}.cc and {source}.h are not there")


def is_built(tree):
    """Each directory lists its sources and tests."""
    lists = {os.path.dirname(path): "\n".join(lines)
             for path, lines in tree.files.items() if os.path.basename(path) == "CMakeLists.txt"}
    for path in tree.code():
        if path.endswith(".h"):
            continue
        folder = os.path.dirname(path)
        while folder not in lists and folder:
            folder = os.path.dirname(folder)
        if os.path.relpath(path, folder or ".") not in lists.get(folder, ""):
            yield Finding(path, 1, f"is not named in {os.path.join(folder, 'CMakeLists.txt')}")


RULES = [has_test, exemptions, has_source, is_built]
