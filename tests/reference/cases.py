"""The models of tests/golden/own: one file for each, small, with sizes and switches that the authors'
files do not have.
"""


def paper(variant, d=20, layers=2, heads=2, head_dim=8, d_ff=36, batch=2, tokens=13, **switches):
    metadata = {"variant": variant, "hidden_size": d, "num_hidden_layers": layers,
                "num_attention_heads": heads, "head_dim": head_dim, "vocab_size": 41,
                "rope_ratio": 1.0, "use_qk_rmsnorm": True, "ddl_value_channels": 3,
                "ddl_state_shortconv_kernel_size": 3, "input_embed_shortconv_kernel_size": 4,
                "ddl_beta_single_linear": True, "ddl_beta_hidden_size": 6, "ddl_k_eps": 1e-5,
                "ddl_v_sigmoid": True, "ddl_v_sigmoid_scale": 4.0, "ddl_v_constant": False,
                **switches}
    return case(metadata, d_ff, batch, tokens)


def seed(variant, d=24, layers=2, heads=4, key_heads=2, d_ff=40, batch=2, tokens=13, **switches):
    metadata = {"variant": variant, "d_model": d, "n_layers": layers, "n_heads": heads,
                "n_kv_heads": key_heads, "d_ff": d_ff, "vocab_size": 37, "rope": "interleaved",
                "beta_dim": 5, "k_eps": 1e-6, "sigmoid_scale": 4.0, **switches}
    return case(metadata, d_ff, batch, tokens)


def case(metadata, d_ff, batch, tokens):
    return {"metadata": {key: str(value) for key, value in metadata.items()}, "d_ff": d_ff,
            "batch": batch, "tokens": tokens}


TWO_LAYERS = {"ddl_beta_single_linear": False}
LINEAR = {"ddl_v_sigmoid": False}
FROM_NORM = {"ddl_v_input": "c", "ddl_v_sigmoid": False}

CASES = {
    "hc_static_n2": paper("hc_static", hc_streams=2),
    # With the backbone's own eps the first A_m, whose scale the norm takes away, has a gradient of
    # rounding alone.
    "hc_static_n4_seed": seed("hc_static", hc_streams=4, layers=3, norm_eps=1e-3),
    "hc_dynamic_n3": paper("hc_dynamic", hc_streams=3),
    "hc_dynamic_n4_seed": seed("hc_dynamic", hc_streams=4, norm_eps=1e-3),
    "hc_dynamic_n1": paper("hc_dynamic", hc_streams=1, layers=1, rope="interleaved"),
    "ccec_wo": paper("ccec_wo", ddl_state_shortconv_kernel_size=2),
    "cc_wo_dv6_k3": paper("cc_wo", ddl_value_channels=6, **TWO_LAYERS),
    "tc_wo_k5": paper("tc_wo", ddl_value_channels=2, ddl_state_shortconv_kernel_size=5),
    "tcec_wo_k2": paper("tcec_wo", ddl_state_shortconv_kernel_size=2,
                        input_embed_shortconv_kernel_size=2, **LINEAR),
    "vdim1_wo_from_norm": paper("vdim1_wo", **FROM_NORM),
    "seed_deepdeltares_wo": seed("seed_deepdeltares_wo"),
    "seed_deepdeltares_mha": seed("seed_deepdeltares", heads=3, key_heads=3, layers=1, beta_dim=9,
                                  k_eps=0.5, sigmoid_scale=2.5),
    "tc_k1": paper("tc", ddl_state_shortconv_kernel_size=1, rope_ratio=0.5),
    "tc_k16": paper("tc", d=12, ddl_value_channels=4, ddl_state_shortconv_kernel_size=16),
    "tcec_gqa": paper("tcec", heads=4, head_dim=6, num_key_value_heads=2,
                      input_embed_shortconv_kernel_size=6, **TWO_LAYERS),
    "ccec_linear_dv8": paper("ccec", d=16, ddl_value_channels=8, ddl_state_shortconv_kernel_size=8,
                             **LINEAR),
    "ccec_from_norm": paper("ccec", ddl_state_shortconv_kernel_size=1, ddl_v_input="c"),
    "ccec_odd_heads": paper("ccec", heads=3, head_dim=7, rope_ratio=0.75, ddl_k_eps=0.3,
                            mup=True, hidden_size_base=64, **TWO_LAYERS),
    "cc_one_channel": paper("cc", ddl_value_channels=1, ddl_state_shortconv_kernel_size=1),
    "vdim1_two_layers": paper("vdim1", d=18, heads=1, head_dim=16, batch=3, tokens=7,
                              ddl_v_sigmoid_scale=1.5, **TWO_LAYERS),
    "base_gqa": paper("base", heads=4, head_dim=6, num_key_value_heads=2, rope_ratio=0.7),
    "base_mqa_plain": paper("base", heads=4, head_dim=5, num_key_value_heads=1, rope_ratio=0.0,
                            use_qk_rmsnorm=False, layers=3),
    "base_as_seed": paper("base", rope="interleaved", qk_norm_position="before_rope",
                          mlp="squared_relu", embed_scale=3.0, logit_scale=0.5, norm_eps=1e-3),
    "seed_additive_as_paper": seed("seed_additive", rope="half_split", mlp="swiglu",
                                   qk_norm_position="after_rope", embed_scale=1.0, norm_eps=1e-5,
                                   rope_base=500.0),
    "seed_additive_mqa": seed("seed_additive", d=30, heads=5, key_heads=1, batch=1, tokens=19,
                              rope_ratio=0.5),
}
