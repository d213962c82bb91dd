#!/usr/bin/env python3
"""make_tensorflow.py: cases written by tf2onnx, from TensorFlow and from Keras."""
import os

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
import tf2onnx

from cases import finish, fresh


def keras_net():
    k = tf.keras.layers
    x = inputs = k.Input((11, 9, 3), name='image')
    x = k.Conv2D(6, 3, strides=2, padding='same', use_bias=False)(x)
    x = k.BatchNormalization()(x)
    x = k.ReLU(6.0)(x)
    x = k.DepthwiseConv2D(3, padding='same')(x)
    x = k.UpSampling2D(2, interpolation='nearest')(x)
    x = k.Conv2DTranspose(4, 3, strides=2, padding='same')(x)
    x = k.GlobalAveragePooling2D()(x)
    return tf.keras.Model(inputs, k.Dense(5, activation='softmax')(x))


def keras_text():
    k = tf.keras.layers
    x = inputs = k.Input((6,), dtype='int32', name='tokens')
    x = k.Embedding(20, 8)(x)
    x = k.Bidirectional(k.LSTM(4, return_sequences=True))(x)
    x = k.LayerNormalization()(x + k.MultiHeadAttention(2, 4)(x, x))
    return tf.keras.Model(inputs, k.Dense(3)(k.Flatten()(x)))


def write(name, model, feeds):
    folder = fresh(name)
    with open(os.path.join(folder, 'model.onnx'), 'wb') as out:
        out.write(model.SerializeToString())
    finish(name, feeds)


def from_function(name, function, signature, feeds, opset):
    model, _ = tf2onnx.convert.from_function(tf.function(function), signature, opset=opset)
    write(name, model, feeds)


def main():
    tf.keras.utils.set_random_seed(4)
    image = np.random.default_rng(1).standard_normal((1, 11, 9, 3)).astype(np.float32)
    spec = tf.TensorSpec((1, 11, 9, 3), tf.float32, name='image')
    for opset in (9, 18):
        net = keras_net()
        from_function(f'tf2onnx_net_{opset}', lambda image, n=net: n(image), [spec], {'image': image}, opset)
    tokens = np.array([[1, 5, 19, 0, 7, 3]], np.int32)
    text = keras_text()
    from_function('tf2onnx_text', lambda tokens: text(tokens), [tf.TensorSpec((1, 6), tf.int32, name='tokens')],
                  {'tokens': tokens}, 15)

    def loop(x):
        total = tf.zeros_like(x)
        for i in tf.range(4):
            total += x * tf.cast(i, tf.float32)
        y, index = tf.math.top_k(tf.reshape(total, [-1]), 3)
        return y, index, tf.image.resize(tf.reshape(x, [1, 3, 4, 1]), [6, 8], 'nearest')

    from_function('tf2onnx_loop', loop, [tf.TensorSpec((3, 4), tf.float32, name='x')],
                  {'x': image[0, :3, :4, 0].copy()}, 13)
    folder = fresh('keras_export')
    net = keras_net()
    net.export(os.path.join(folder, 'model.onnx'), format='onnx', verbose=False,
               input_signature=[spec])
    finish('keras_export', {'image': image})


main()
