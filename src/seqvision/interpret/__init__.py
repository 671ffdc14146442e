"""What a trained network looks at, and how its gradients travel through time and depth.

``learned_filters``, ``feature_maps``, ``grad_cam``, ``occlusion_map``, ``maximize_activation``; ``gradient_by_lag``.
"""

from .activation_images import ActivationImages, maximize_activation
from .gradients import DepthProfile, GradientTrace, depth_profile, gradient_by_lag, gradient_trace
from .layer_outputs import feature_maps, layer_outputs, learned_filters
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
