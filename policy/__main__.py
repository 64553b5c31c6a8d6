"""The pack that Pulumi's engine talks to: every rule of the catalogue, mandatory but for those on request."""

import sys
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

# The engine runs this folder, from whatever project it judges; `policy` is found beside it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policy import plain
from policy.catalogue import RULES, STACK_RULES
from policy.rule import Rule, StackRule


def resource_policy(rule: Rule) -> ResourceValidationPolicy:
    """Return the SDK's form of a rule about one resource."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.check(plain.resource(args)):
            report(message, None)

    level = EnforcementLevel.DISABLED if rule.is_on_request else EnforcementLevel.MANDATORY
    return ResourceValidationPolicy(
        name=rule.name, description=rule.description, validate=validate, enforcement_level=level
    )


def stack_policy(rule: StackRule) -> StackValidationPolicy:
    """Return the SDK's form of a rule about a stack."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for blamed, message in rule.check([plain.resource(each) for each in args.resources]):
            report(message, blamed.urn)

    return StackValidationPolicy(name=rule.name, description=rule.description, validate=validate)


PolicyPack(
    name="tf-serving-platform",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[*map(resource_policy, RULES), *map(stack_policy, STACK_RULES)],
)
