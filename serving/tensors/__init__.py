"""Wire formats to arrays and back.

Belongs here: the table of TensorFlow's data types, signatures, and the two spellings of a tensor
(`TensorProto` and JSON). Does not belong here: models, sessions, HTTP or gRPC. An array is a numpy array
in the storage type of its `DataType`: strings are object arrays of `bytes`, bfloat16 is `uint16` bits.
"""
