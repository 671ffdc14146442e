"""What a trained network looks at, and how its gradients travel through time and depth.

``learned_filters``, ``feature_maps``, ``grad_cam``, ``occlusion_map``, ``maximize_activation``; ``gradient_by_lag``.
"""

from typing import TYPE_CHECKING

from seqvision._late import late_imports

from .layer_outputs import feature_maps, layer_outputs, learned_filters

if TYPE_CHECKING:
    from .activation_images import ActivationImages, maximize_activation
    from .gradients import DepthProfile, GradientTrace, depth_profile, gradient_by_lag, gradient_trace
    from .saliency import grad_cam, occlusion_map

__all__ = [
    "ActivationImages",
    "DepthProfile",
    "GradientTrace",
    "depth_profile",
    "feature_maps",
    "grad_cam",
    "gradient_by_lag",
    "gradient_trace",
    "layer_outputs",
    "learned_filters",
    "maximize_activation",
    "occlusion_map",
]

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's
    __getattr__, __dir__ = late_imports(__name__)
