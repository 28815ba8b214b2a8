import { useEffect, useState } from 'react';

/** A trait of the model, as it is now. */
export function useTrait(model, key) {
  const [value, setValue] = useState(() => model.get(key));
  useEffect(() => {
    const heard = () => setValue(model.get(key));
    heard();
    model.on(`change:${key}`, heard);
    return () => model.off(`change:${key}`, heard);
  }, [model, key]);
  return value;
}
