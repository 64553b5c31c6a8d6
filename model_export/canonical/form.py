"""The canonical spelling of a frozen graph, in place.

Functions become `fn_0`, `fn_1`, … in the order in which the graph calls them; inside a body arguments become `a0…`, nodes `n0…`
in depth-first order from the results, results `r0…`. Nodes of the graph keep their names: people and signatures use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from model_export.graphs.reachability import called_functions
from model_export.graphs.references import control_inputs, data_inputs, is_control, node_of, set_inputs

if TYPE_CHECKING:
    from tensorflow.core.framework.function_pb2 import FunctionDef
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.node_def_pb2 import NodeDef


def canonicalise(graph: GraphDef) -> None:
    """Rewrite `graph` so that equal graphs serialise to equal bytes, whatever process made them."""
    graph.node.sort(key=lambda node: node.name)
    for node in graph.node:
        set_inputs(node, data_inputs(node), sorted(control_inputs(node)))
        _name_table(node)
    output_names = {
        each.signature.name: [out.name for out in each.signature.output_arg]
        for each in graph.library.function
    }
    for function in graph.library.function:
        _rename_body(function, output_names)
    _rename_functions(graph)
    graph.library.function.sort(key=lambda function: function.signature.name)
    del graph.library.gradient[:]
    del graph.library.registered_gradients[:]


def _name_table(node: NodeDef) -> None:
    # TensorFlow 2 puts the path of the training machine into the shared name; the node's name is as unique.
    if "Table" in node.op and "shared_name" in node.attr and node.attr["shared_name"].s:
        node.attr["shared_name"].s = node.name.encode()


def _rename_body(function: FunctionDef, output_names: Mapping[str, list[str]]) -> None:
    results = [function.ret[each.name] for each in function.signature.output_arg]
    controls = sorted(set(function.control_ret.values()))
    arguments = [each.name for each in function.signature.input_arg]
    nodes = {node.name: node for node in function.node_def}
    order = _depth_first(nodes, [*(node_of(each) for each in results), *controls])
    names = {name: f"n{index}" for index, name in enumerate(order)}
    names.update({name: f"a{index}" for index, name in enumerate(arguments)})

    def renamed(reference: str) -> str:
        node, separator, rest = reference.removeprefix("^").partition(":")
        called = output_names.get(nodes[node].op) if node in nodes else None
        if (
            called is not None
        ):  # the node calls a function by its name, and that function's results are renamed too
            argument, _, position = rest.partition(":")
            rest = f"r{called.index(argument)}:{position}" if rest else rest
        return ("^" if is_control(reference) else "") + names[node] + separator + rest

    new_inputs = {name: [renamed(each) for each in nodes[name].input] for name in order}
    new_results = [renamed(each) for each in results]
    for name in order:
        node = nodes[name]
        inputs = new_inputs[name]
        set_inputs(
            node, [each for each in inputs if not is_control(each)], sorted(set(filter(is_control, inputs)))
        )
        node.name = names[name]
    for dead in [index for index, node in enumerate(function.node_def) if node.name not in names.values()][
        ::-1
    ]:
        del function.node_def[dead]
    positions = {names[name]: index for index, name in enumerate(order)}
    function.node_def.sort(key=lambda node: positions[node.name])
    _rename_interface(
        function, new_results, sorted((names[each] for each in controls), key=positions.__getitem__)
    )


def _rename_interface(function: FunctionDef, results: list[str], controls: list[str]) -> None:
    for index, argument in enumerate(function.signature.input_arg):
        argument.name = f"a{index}"
    function.ret.clear()
    function.control_ret.clear()
    del function.signature.control_output[:]
    for index, (argument, reference) in enumerate(zip(function.signature.output_arg, results, strict=True)):
        argument.name = f"r{index}"
        function.ret[argument.name] = reference
    for name in controls:
        function.control_ret[name] = name
        function.signature.control_output.append(name)


def _rename_functions(graph: GraphDef) -> None:
    library = {function.signature.name: function for function in graph.library.function}
    names: dict[str, str] = {}
    pending = list(graph.node)[::-1]
    while pending:
        node = pending.pop()
        for called in _callees(node, library):
            if called not in names:
                names[called] = f"fn_{len(names)}"
                pending.extend(list(library[called].node_def)[::-1])
    for node in [*graph.node, *(node for function in graph.library.function for node in function.node_def)]:
        node.op = names.get(node.op, node.op)
        for reference in called_functions(node):
            reference.name = names.get(reference.name, reference.name)
            reference.attr.clear()
    for name, function in library.items():
        function.signature.name = names[name]


def _callees(node: NodeDef, library: Mapping[str, FunctionDef]) -> list[str]:
    return [each for each in [node.op, *(ref.name for ref in called_functions(node))] if each in library]


def _depth_first(nodes: Mapping[str, NodeDef], roots: Iterable[str]) -> list[str]:
    order: dict[str, None] = {}
    opened: set[str] = set()
    for root in roots:
        pending = [(root, False)]
        while pending:
            name, is_done = pending.pop()
            if is_done:
                order[name] = None
            elif name in nodes and name not in opened:
                opened.add(name)
                pending.append((name, True))
                inputs = nodes[name].input
                pending.extend((node_of(each), False) for each in reversed(inputs) if not is_control(each))
                pending.extend((node_of(each), False) for each in inputs if is_control(each))
    return list(order)
