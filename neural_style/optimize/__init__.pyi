from .descent import gradient_descent as gradient_descent
from .evaluator import Evaluator as Evaluator
from .optimizer import Optimizer as Optimizer
from .status import Outcome as Outcome
from .status import Status as Status
from .tiled_evaluator import TiledEvaluator as TiledEvaluator
from .tiling import Tiling as Tiling
