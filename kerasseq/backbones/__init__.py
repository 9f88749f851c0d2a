"""Networks trained on ImageNet, which turn pictures into maps of features."""

from kerasseq.backbones.by_name import load_backbone
from kerasseq.backbones.lite0 import efficientnet_lite0, load_lite0_weights

__all__ = ["efficientnet_lite0", "load_backbone", "load_lite0_weights"]
