"""The Keras program that most tutorials copy, transcribed for benchmarks.speed."""

import time

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import fmin_l_bfgs_b

from neural_style import preprocess
from neural_style.vgg import vgg_weights


def classic_program(content, style, x, rounds):
    """Run the program as published, but with the right order of the color channels.

    Return (seconds, final loss, evaluations).
    """
    height, width = content.shape[:2]
    vgg = keras.applications.VGG16(weights=None, include_top=False)
    for name, weights in vgg_weights("vgg16").layers.items():
        vgg.get_layer(name).set_weights(weights)
    outputs = keras.Model(vgg.input, {layer.name: layer.output for layer in vgg.layers[1:]})
    content_x, style_x = preprocess(content), preprocess(style)

    def gram(f):
        f = tf.reshape(tf.transpose(f, (2, 0, 1)), (f.shape[2], -1))
        return tf.matmul(f, tf.transpose(f))

    @tf.function
    def evaluate(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            features = outputs(tf.concat([content_x, style_x, x], axis=0))
            f = features["block2_conv2"]
            loss = 0.025 * tf.reduce_sum(tf.square(f[2] - f[0]))
            for layer in (
                "block1_conv2",
                "block2_conv2",
                "block3_conv3",
                "block4_conv3",
                "block5_conv3",
            ):
                f = features[layer]
                loss += (
                    5.0
                    / 5
                    * tf.reduce_sum(tf.square(gram(f[1]) - gram(f[2])))
                    / (4.0 * 3**2 * (height * width) ** 2)
                )
            a = tf.square(x[:, :-1, :-1] - x[:, 1:, :-1])
            b = tf.square(x[:, :-1, :-1] - x[:, :-1, 1:])
            loss += 1.0 * tf.reduce_sum(tf.pow(a + b, 1.25))
        return loss, tape.gradient(loss, x)

    def loss_and_grads(x):
        nonlocal evaluations
        evaluations += 1
        loss, grads = evaluate(tf.constant(x.reshape(content_x.shape), tf.float32))
        return float(loss), grads.numpy().ravel().astype("float64")

    evaluations, started = 0, time.monotonic()
    for _ in range(rounds):
        x, loss, _ = fmin_l_bfgs_b(loss_and_grads, np.ravel(x), maxfun=20)
    return time.monotonic() - started, loss, evaluations
