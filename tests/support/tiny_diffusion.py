"""A random SDXL inpainting pipeline of a few megabytes, written as diffusers writes a real one.

Run by the Python of Triton's environment, which has diffusers: `python tiny_diffusion.py FOLDER`.
"""

import json
import sys
from pathlib import Path
from typing import Any


def write_pipeline(folder: Path) -> None:
    """Write the parts: the real classes, each with the smallest configuration that fits together."""
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLInpaintPipeline
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(0)
    tokenizer = write_tokenizer(folder)
    words = CLIPTextConfig(
        bos_token_id=len(tokenizer) - 2,
        eos_token_id=len(tokenizer) - 1,
        pad_token_id=1,
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        hidden_act="gelu",
        projection_dim=32,
    )
    unet, vae = networks()
    StableDiffusionXLInpaintPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(words),
        text_encoder_2=CLIPTextModelWithProjection(words),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(),
        add_watermarker=False,
    ).save_pretrained(folder, safe_serialization=True)


def networks() -> tuple[Any, Any]:
    """The denoiser and the autoencoder."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=32,
        in_channels=9,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=80,
        cross_attention_dim=64,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=[32, 64],
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        latent_channels=4,
        norm_num_groups=8,
    )
    return unet, vae


def write_tokenizer(folder: Path) -> Any:
    """A tokenizer of single bytes: CLIP's alphabet, and no merges."""
    from transformers import CLIPTokenizer

    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]
    words = [*alphabet, *(f"{letter}</w>" for letter in alphabet), "<|startoftext|>", "<|endoftext|>"]
    files = folder.with_name(f"{folder.name}-tokenizer")
    files.mkdir(parents=True)
    (files / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(words)}))
    (files / "merges.txt").write_text("#version: 0.2\n")
    (files / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77}))
    return CLIPTokenizer.from_pretrained(files)


if __name__ == "__main__":
    write_pipeline(Path(sys.argv[1]))
