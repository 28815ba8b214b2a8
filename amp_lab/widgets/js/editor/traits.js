import { useEffect, useState } from 'react';

/** The present value of a trait of the model. */
export function useTrait(model, key) {
  const [value, setValue] = useState(() => model.get(key));
  useEffect(() => {
    const changed = () => setValue(model.get(key));
    changed();
    model.on(`change:${key}`, changed);
    return () => model.off(`change:${key}`, changed);
  }, [model, key]);
  return value;
}
