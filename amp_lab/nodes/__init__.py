"""From a native contract to what a person types: builder, signature, docstring, stub, argument rules."""
