"""Generation by Hugging Face Transformers with a Marian model that has random weights."""

import torch
from transformers import MarianConfig, MarianMTModel


def build_marian(vocabulary: int, width: int, units: int, heads: int, layers: int) -> MarianMTModel:
    config = MarianConfig(
        vocab_size=vocabulary,
        d_model=width,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=units,
        decoder_ffn_dim=units,
        activation_function="relu",
        scale_embedding=True,
        pad_token_id=0,
        eos_token_id=3,
        decoder_start_token_id=2,
        forced_eos_token_id=None,
        max_position_embeddings=512,
    )
    return MarianMTModel(config).eval()


@torch.inference_mode()
def generate(model: MarianMTModel, sources: torch.Tensor, beams: int, steps: int) -> torch.Tensor:
    """Returns `steps` tokens for each source (N, S): (N, steps + 1) with the start token."""
    return model.generate(
        input_ids=sources,
        attention_mask=torch.ones_like(sources),
        num_beams=beams,
        do_sample=False,
        min_new_tokens=steps,
        max_new_tokens=steps,
    )
