from .descent import gradient_descent as gradient_descent
from .evaluator import Evaluator as Evaluator
from .lbfgs import lbfgs as lbfgs
from .tiled_evaluator import TiledEvaluator as TiledEvaluator
from .tiling import Tiling as Tiling
