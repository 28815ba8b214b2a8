"""From a native contract to what a person types: builder, signature, docstring, typing stub, argument rules."""
