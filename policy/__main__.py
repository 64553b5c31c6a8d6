"""The pack that Pulumi's engine talks to: every rule of the catalogue, mandatory but for those on request."""

import sys
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
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
from policy.catalogue import KEYED_RULES, RULES, STACK_RULES
from policy.rule import KeyedRule, Rule, StackRule


def resource_policy(rule: Rule) -> ResourceValidationPolicy:
    """Return the SDK's form of a rule about one resource."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.check(plain.resource(args)):
            report(message, None)

    level = EnforcementLevel.DISABLED if rule.is_on_request else EnforcementLevel.MANDATORY
    return ResourceValidationPolicy(
        name=rule.name, description=rule.description, validate=validate, enforcement_level=level
    )


def keyed_policy(rule: KeyedRule) -> ResourceValidationPolicy:
    """Return the SDK's form of a rule that takes public keys from the pack's configuration."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for message in rule.check(plain.resource(args), "\n".join(args.get_config().get("keys", []))):
            report(message, None)

    # Not required: the engine would refuse a configuration without them also where the rule is off.
    keys = {"type": "array", "items": {"type": "string"}}
    return ResourceValidationPolicy(
        name=rule.name,
        description=rule.description,
        validate=validate,
        enforcement_level=EnforcementLevel.DISABLED,
        config_schema=PolicyConfigSchema({"keys": keys}),
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
    policies=[
        *map(resource_policy, RULES),
        *map(keyed_policy, KEYED_RULES),
        *map(stack_policy, STACK_RULES),
    ],
)
