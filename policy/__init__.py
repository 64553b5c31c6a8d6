"""What a platform team asks of every stack: rules that `pulumi preview --policy-pack policy/` judges a program by.

Belongs here: one function a rule, over plain data, each with a sentence that names the object and says what to do. Does not belong
here: anything about our own components, for a pack judges other teams' programs as well; so it imports none of them. Only `__main__`
and `plain` know Pulumi's policy SDK, and `images` asks `notary` who signed one. Imported by nobody but tests.

    __main__ > catalogue > images > stacks | gpus | objects > pods > rule         __main__ > plain > rule
"""
