from .extractor import fast_bfloat16 as fast_bfloat16
from .extractor import feature_extractor as feature_extractor
from .layers import receptive_fields as receptive_fields
from .preprocessing import IMAGENET_MEAN_BGR as IMAGENET_MEAN_BGR
from .preprocessing import deprocess as deprocess
from .preprocessing import preprocess as preprocess
from .weights import vgg_weights as vgg_weights
