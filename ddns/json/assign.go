package json

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// assign puts a tree into v, which can be set. Errors name the place.
func assign(v reflect.Value, tree any) error {
	if v.Kind() == reflect.Pointer {
		if tree == nil {
			v.SetZero()
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return assign(v.Elem(), tree)
	}
	if _, ok := v.Interface().(RawMessage); ok {
		raw, err := Marshal(tree)
		v.SetBytes(raw)
		return err
	}
	switch v.Kind() {
	case reflect.Interface:
		v.SetZero()
		if tree != nil {
			v.Set(reflect.ValueOf(tree))
		}
		return nil
	case reflect.Slice, reflect.Map:
		if tree == nil {
			v.SetZero()
			return nil
		}
	}
	switch x := tree.(type) {
	case nil:
		return nil
	case bool:
		if v.Kind() == reflect.Bool {
			v.SetBool(x)
			return nil
		}
	case string:
		if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
			return u.UnmarshalText([]byte(x))
		}
		if _, number := v.Interface().(Number); v.Kind() == reflect.String && !number {
			v.SetString(x)
			return nil
		}
	case Number:
		return assignNumber(v, string(x))
	case []any:
		if v.Kind() == reflect.Slice {
			s := reflect.MakeSlice(v.Type(), len(x), len(x))
			for i, e := range x {
				if err := assign(s.Index(i), e); err != nil {
					return fmt.Errorf("%d: %w", i, err)
				}
			}
			v.Set(s)
			return nil
		}
	case map[string]any:
		switch v.Kind() {
		case reflect.Struct:
			return fields(v, func(f field) error {
				member, ok := x[f.name]
				if !ok {
					return nil
				}
				if err := assign(f.value, member); err != nil {
					return fmt.Errorf("%s: %w", f.name, err)
				}
				return nil
			})
		case reflect.Map:
			return assignMap(v, x)
		}
	}
	return mismatch(v)
}

func mismatch(v reflect.Value) error { return errors.New("should be a " + v.Type().String()) }

func assignNumber(v reflect.Value, digits string) error {
	var err error
	switch {
	case v.Kind() == reflect.String:
		if _, ok := v.Interface().(Number); !ok {
			return mismatch(v)
		}
		v.SetString(digits)
	case v.CanInt():
		var n int64
		n, err = strconv.ParseInt(digits, 10, v.Type().Bits())
		v.SetInt(n)
	case v.CanUint():
		var n uint64
		n, err = strconv.ParseUint(digits, 10, v.Type().Bits())
		v.SetUint(n)
	case v.CanFloat():
		var n float64
		n, err = strconv.ParseFloat(digits, v.Type().Bits())
		v.SetFloat(n)
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		return mismatch(v)
	}
	return nil
}

// assignMap adds members to a map with string keys.
func assignMap(v reflect.Value, members map[string]any) error {
	t := v.Type()
	if t.Key().Kind() != reflect.String {
		return mismatch(v)
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(t))
	}
	for name, member := range members {
		e := reflect.New(t.Elem()).Elem()
		if err := assign(e, member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		key := reflect.New(t.Key()).Elem() // Convert would be 3 kB of code
		key.SetString(name)
		v.SetMapIndex(key, e)
	}
	return nil
}
